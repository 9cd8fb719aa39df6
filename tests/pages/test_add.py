"""The add page, with the real template."""


def test_add(shelf, client):
    text = client.get("/add").text
    assert f'data-limit="{shelf.box.upload_limit}"' in text
    assert "Up to 17 GB each" in text
    assert 'type="file"' in text


def files(*named: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", (name, data)) for name, data in named]


def test_a_plain_form_takes_in_each_file_for_itself(shelf, client, png):
    answer = client.post("/add", files=files(("one.png", png(1)), ("notes.txt", b"no photo"), ("two.png", png(2))))
    assert answer.status_code == 200
    assert answer.text.count("In the box.") == 2
    assert "notes.txt" in answer.text
    assert shelf.count() == 2
    assert shelf.parts() == []
    again = client.post("/add", files=files(("again.png", png(1))))
    assert "Already in the box" in again.text
    assert shelf.count() == 2


def test_a_plain_form_s_bytes_are_kept_as_they_are(shelf, client, png):
    data = png(3) + bytes(range(256)) * 9000 + b"\r\n--\r\n"
    client.post("/add", files=files(("big.png", data)), data={"csrf": "x", "other": "y" * 5000})
    item = client.get("/api/v1/items").json()["items"][0]
    assert (item["name"], item["bytes"]) == ("big.png", len(data))
    assert client.get(item["urls"]["original"]).content == data


def test_a_plain_form_with_nothing_chosen(shelf, client):
    answer = client.post("/add", files=files(("", b"")))
    assert answer.status_code == 200
    assert "Nothing was chosen." in answer.text


def test_a_plain_form_refuses_what_is_too_large_and_keeps_the_rest(shelf, client, png, monkeypatch):
    monkeypatch.setattr(type(shelf.box), "upload_limit", 4096)
    answer = client.post("/add", files=files(("big.png", png(1) + bytes(5000)), ("small.png", png(2))))
    assert answer.status_code == 413  # together they are over the limit, and that is said before anything is taken in
    assert shelf.count() == 0
    assert shelf.parts() == []


def test_a_form_that_is_none_or_is_cut_off_is_refused(shelf, client, png):
    assert client.post("/add", content=b"x").status_code == 400
    head = {"Content-Type": "multipart/form-data; boundary=cut"}
    begun = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="one.png"\r\n\r\n' + png(1)
    assert client.post("/add", content=begun, headers=head).status_code == 400
    assert client.post("/add", content=b"--wrong\r\n", headers=head).status_code == 400
    assert shelf.count() == 0
    assert shelf.parts() == []
