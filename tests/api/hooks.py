"""What schemathesis does not know by itself: a piece of a file, as tus calls it, is bytes as any other."""

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
