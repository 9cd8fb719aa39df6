"""`shoebox web` as on an installed box with two disks on USB, which takes every order and does none of them."""

import sys

from appliance.cli import main
from appliance.device import disks, service
from appliance.device.disks import Disk
from appliance.pages.box import Box

DISKS = [Disk("sda", "Samsung PSSD T7", 1 << 40, "ext4", "Holiday"), Disk("sdb", "Kingston", 64 << 30, "exfat", "")]

if __name__ == "__main__":
    disks.disks = lambda root=None: DISKS
    service.orders = lambda *_: ("restart", "reboot", "shutdown", "adopt-disk")
    service.give = lambda *_: None
    Box.command = property(lambda _: "shoebox")
    sys.exit(main(["web", *sys.argv[1:]]))
