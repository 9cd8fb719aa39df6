"""What asks for something and changes nothing: GET, and HEAD for its headers alone."""

GET = ["GET", "HEAD"]
