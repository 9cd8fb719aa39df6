"""The add page, with the real template."""


def test_add(shelf, client):
    text = client.get("/add").text
    assert f'data-limit="{shelf.box.upload_limit}"' in text
    assert "Up to 17 GB each" in text
    assert 'type="file"' in text
