import pytest
from PIL import ExifTags
from PIL.TiffImagePlugin import IFDRational

from appliance.media import metadata

GPS = ExifTags.GPS


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("Apple", "Apple iPhone 4", "Apple iPhone 4"),
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON Z 6", "NIKON Z 6"),
        ("HUAWEI", "Huawei P30", "Huawei P30"),
        ("samsung", "SM-G991B", "samsung SM-G991B"),
        ("SONY\0\0", " ILCE-7M3\0junk", "SONY ILCE-7M3"),
        (None, "X100", "X100"),
        ("FUJIFILM", None, "FUJIFILM"),
        (b"Acme", b"One", "Acme One"),
        ("\x00", "\n", None),
        (None, None, None),
        (7, (1, 2), None),
    ],
)
def test_camera_names_the_maker_once(make, model, name):
    assert metadata.camera(make, model) == name


@pytest.mark.parametrize(
    ("main", "details", "expected"),
    [
        ({}, {36867: "2024:05:03 14:20:00", 36881: "+02:00"}, "2024-05-03T14:20:00+02:00"),
        ({}, {36867: "2024:05:03 14:20:00", 36881: "-03:30"}, "2024-05-03T14:20:00-03:30"),
        ({}, {36867: "2024:05:03 14:20:00", 36881: "Z"}, "2024-05-03T14:20:00+00:00"),
        ({}, {36867: "2024:05:03 14:20:00"}, "2024-05-03T14:20:00"),
        ({306: "2020:01:01 00:00:00"}, {36867: "2024:05:03 14:20:00"}, "2024-05-03T14:20:00"),
        ({306: "2020:01:01 00:00:00"}, {36867: "0000:00:00 00:00:00"}, "2020-01-01T00:00:00"),
        ({306: "2020:01:01 00:00:00"}, {36880: "+01:00"}, "2020-01-01T00:00:00+01:00"),
        ({36867: "2024:05:03 14:20:00"}, {}, "2024-05-03T14:20:00"),
        ({}, {36868: "1962:07:01 12:00:00"}, "1962-07-01T12:00:00"),
        ({}, {36867: "2024-05-03T14:20:00"}, "2024-05-03T14:20:00"),
        ({}, {36867: b"2024:05:03 14:20:00\0"}, "2024-05-03T14:20:00"),
        ({}, {36867: "2024:05:03 14:20:00", 36881: "   :  "}, "2024-05-03T14:20:00"),
        ({}, {36867: "2024:05:03 14:20:00", 36881: "+99:00"}, "2024-05-03T14:20:00"),
        ({}, {36867: "2024:13:45 99:00:00"}, None),
        ({}, {36867: "    :  :     :  :  "}, None),
        ({}, {36867: 12345}, None),
        ({}, {}, None),
    ],
)
def test_when_a_photo_was_taken(main, details, expected):
    assert metadata.photo_time(main, details) == expected


def gps(latitude, longitude, north="N", east="E"):
    return {
        GPS.GPSLatitude: latitude,
        GPS.GPSLatitudeRef: north,
        GPS.GPSLongitude: longitude,
        GPS.GPSLongitudeRef: east,
    }


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        (gps((48, 8, 13.56), (11, 34, 31.68)), (48.1371, 11.5755)),
        (gps((33, 51, 0), (151.5, 0, 0), north="S"), (-33.85, 151.5)),
        (gps((40, 0, 0), (70, 0, 0), north=b"N\0", east="W"), (40.0, -70.0)),
        (gps((0, 0, 0), (0, 0, 0)), None),
        (gps((91, 0, 0), (1, 0, 0)), None),
        (gps((IFDRational(0, 0),) * 3, (IFDRational(0, 0),) * 3), None),
        (gps((), ()), None),
        (gps(("x",), 5), None),
        ({GPS.GPSLatitude: (48, 8, 13)}, None),
        ({}, None),
    ],
)
def test_where_a_photo_was_taken(directory, expected):
    found = metadata.place(directory)
    assert found == (pytest.approx(expected, abs=1e-4) if expected else None)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (
            {
                "com.apple.quicktime.creationdate": "2024-05-03T14:20:00+0200",
                "creation_time": "2024-05-03T12:20:00.000000Z",
            },
            "2024-05-03T14:20:00+02:00",
        ),
        ({"creation_time": "2024-05-03T12:20:00.000000Z"}, "2024-05-03T12:20:00+00:00"),
        (
            {"com.apple.quicktime.creationdate": "rubbish", "creation_time": "2024-05-03T12:20:00Z"},
            "2024-05-03T12:20:00+00:00",
        ),
        ({"date": "2019-07-01 10:00:00"}, "2019-07-01T10:00:00"),
        ({"creation_time": "1904-01-01T00:00:00.000000Z"}, None),
        ({"creation_time": "1970-01-01T00:00:00.000000Z"}, None),
        ({"date": "2019"}, None),
        ({}, None),
    ],
)
def test_when_a_video_was_taken(tags, expected):
    assert metadata.video_time(tags) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+48.1371+011.5754+519.123/", (48.1371, 11.5754)),
        ("-33.8500+151.2000/", (-33.85, 151.2)),
        ("+4808.22-01134.5/", (48.137, -11.575)),
        ("+480813.6+0113430/", (48.1371, 11.575)),
        ("+00.0000+000.0000/", None),
        ("+99.0+000.0/", None),
        ("+123+4/", None),
        ("somewhere", None),
    ],
)
def test_where_a_video_was_taken(text, expected):
    found = metadata.video_place({"com.apple.quicktime.location.ISO6709": text})
    assert found == (pytest.approx(expected, abs=1e-4) if expected else None)
    assert metadata.video_place({"location": text}) == found


def test_who_filmed_a_video():
    apple = {"com.apple.quicktime.make": "Apple", "com.apple.quicktime.model": "iPhone 15"}
    assert metadata.video_camera(apple) == "Apple iPhone 15"
    assert (
        metadata.video_camera({"com.android.manufacturer": "Google", "com.android.model": "Pixel 8"})
        == "Google Pixel 8"
    )
    assert metadata.video_camera({}) is None
