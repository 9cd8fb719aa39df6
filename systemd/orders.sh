#!/bin/sh
# Does what the page has asked of the computer, each by a file /run/shoebox/orders/NAME, and nothing that is not listed here.
#
# Started as root by shoebox-orders.service, installed as /usr/local/lib/shoebox/orders.sh. The page runs as a user of its own:
# what it writes is read as words, compared, and never run.
set -u

orders=${1:-/run/shoebox/orders}

restart() {
    systemctl reset-failed shoebox-web.socket shoebox-web.service shoebox-worker.service
    # Where the rescue page has the port, this takes it away from it.
    systemctl start shoebox-web.socket
    systemctl --no-block restart shoebox-web.service shoebox-worker.service
}

# DISK HOW: a disk on USB, as the kernel calls it, and whether what is on it is kept or erased.
adopt_disk() {
    case $1 in
        sd*[!a-z]*) return ;;
        sd?*) ;;
        *) return ;;
    esac
    case $2 in
        keep | erase) systemctl --no-block start "shoebox-adopt-disk@$1-$2.service" ;;
    esac
}

for order in "$orders"/*; do
    [ -e "$order" ] || [ -h "$order" ] || continue
    words=
    [ -f "$order" ] && [ ! -h "$order" ] && IFS= read -r words <"$order"
    # First: what is asked once is done once, whatever comes of it.
    rm -rf -- "$order"
    case ${order##*/} in
        restart) restart ;;
        reboot) systemctl --no-block reboot ;;
        shutdown) systemctl --no-block poweroff ;;
        install-model) systemctl --no-block start shoebox-errand@install-model.service ;;
        look-at-model) systemctl --no-block start shoebox-errand@look-at-model.service ;;
        look-over) systemctl --no-block start shoebox-errand@look-over.service ;;
        adopt-disk) adopt_disk "${words%% *}" "${words#* }" ;;
        *) echo "<4>an order that is not known was thrown away" >&2 ;;
    esac
done
# Somebody who asks without a pause is answered once a second.
sleep 1
