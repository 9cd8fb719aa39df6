"""The fields of a small form, as a browser without scripts sends them."""

from urllib.parse import parse_qs

from appliance.pages.errors import RequestError

MOST = 100


def form_values(body: bytes) -> dict[str, list[str]]:
    """Return all values of each field; raise RequestError where the body is no form."""
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST)
    except ValueError:
        raise RequestError("The form cannot be read.", "Open the page again and send it from there.") from None


def form_fields(body: bytes) -> dict[str, str]:
    """Return the last value of each field; raise RequestError where the body is no form."""
    return {name: values[-1] for name, values in form_values(body).items()}
