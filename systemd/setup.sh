#!/usr/bin/env bash
# Installs Shoebox on a Debian or Raspberry Pi OS machine, brings it up to date, and takes it away again.
#
# What it makes: /opt/shoebox (releases, each a Python environment, and `current`, which leads to the one in use),
# /etc/shoebox.toml, units in /etc/systemd/system, the user shoebox, the commands shoebox and shoebox-setup in
# /usr/local, and the library in /var/lib/shoebox. Each step may be broken off at any moment, and be done again.
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022

HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=setup/say.sh
. "$HERE/setup/say.sh"
# shellcheck source=setup/check.sh
. "$HERE/setup/check.sh"
# shellcheck source=setup/release.sh
. "$HERE/setup/release.sh"
# shellcheck source=setup/system.sh
. "$HERE/setup/system.sh"
# shellcheck source=setup/steps.sh
. "$HERE/setup/steps.sh"

usage() {
    cat <<'USAGE'
sudo ./systemd/setup.sh [install] [OPTIONS]     install Shoebox; run again it mends what is missing, else changes nothing
sudo shoebox-setup upgrade --from PLACE         bring it up to date; where the new one does not work, the former comes back
sudo shoebox-setup go-back                      go back to the version before the last upgrade, with everything that was added since
sudo shoebox-setup uninstall                    take it away; photos stay
./systemd/setup.sh check                        say what is missing on this machine, and change nothing

  --from PLACE          a wheel (shoebox-….whl), a folder with one such as a USB stick, or a checkout
  --wheels DIR          take Shoebox's packages from this folder, without Internet
  --yes                 ask nothing, take the defaults
  --dry-run             say what would be done, and change nothing
  --name NAME           what the box is called on its page (Shoebox)
  --port P              the port of the page (80)
  --data DIR            where photos and videos go (/var/lib/shoebox)
  --provider WHAT       what describing runs on: auto, cpu, nvidia, openvino (auto)
  --model NAME          blip-base, blip-large or sample (blip-base where the hub can be reached)
  --model-from FOLDER   a BLIP model's files in a folder, without Internet
  --no-mdns             do not make the box known as shoebox.local
  --no-updates          do not have Debian's security updates installed at night
  --no-claim-code       let the first visitor own the box without a code
  --remove-photos       with uninstall: take the photos away, too; asks once more
  --yes-remove-photos   the answer to that question, beforehand
  --help                this

Exit status: 0 done, or nothing to do; 1 failed, and what was begun is taken back; 2 wrong usage; 3 something is missing
on this machine; 4 done, but for the model, shoebox.local or the updates; 130, 143 interrupted, and taken back.
USAGE
}

wrong_usage() {
    printf 'shoebox-setup: %s\nSee: shoebox-setup --help\n' "$1" >&2
    exit 2
}

read_options() {
    COMMAND=install
    ARGUMENTS=("$@")
    FROM='' WHEELS='' YES='' DRY_RUN='' MODEL_FROM='' REMOVE_PHOTOS='' REALLY='' CLAIM=yes
    # Given here, chosen at a former time, else a default: see choose in steps.sh.
    NAME='' PORT='' DATA='' PROVIDER='' MODEL='' MDNS='' UPDATES=''
    case ${1:-} in
        install | upgrade | go-back | uninstall | check) COMMAND=$1 && shift ;;
    esac
    while [ $# -gt 0 ]; do
        case $1 in
            --from | --wheels | --name | --port | --data | --provider | --model | --model-from)
                [ -n "${2:-}" ] || wrong_usage "$1 needs a word after it."
                ;;
        esac
        case $1 in
            --from) FROM=$2 && shift ;;
            --wheels) WHEELS=$2 && shift ;;
            --name) NAME=$2 && shift ;;
            --port) PORT=$2 && shift ;;
            --data) DATA=$2 && shift ;;
            --provider) PROVIDER=$2 && shift ;;
            --model) MODEL=$2 && shift ;;
            --model-from) MODEL_FROM=$2 && shift ;;
            --yes) YES=1 ;;
            --dry-run) DRY_RUN=1 ;;
            --no-mdns) MDNS=no ;;
            --no-updates) UPDATES=no ;;
            --no-claim-code) CLAIM=no ;;
            --remove-photos) REMOVE_PHOTOS=1 ;;
            --yes-remove-photos) REALLY=1 ;;
            -h | --help) usage && exit 0 ;;
            *) wrong_usage "$1 is not known here." ;;
        esac
        shift
    done
    check_options
}

check_options() {
    [ -z "$FROM" ] || [ -e "$FROM" ] || wrong_usage "$FROM is not there."
    [ -z "$WHEELS" ] || [ -d "$WHEELS" ] || wrong_usage "$WHEELS is not a folder."
    [ -z "$MODEL_FROM" ] || [ -d "$MODEL_FROM" ] || wrong_usage "$MODEL_FROM is not a folder."
    case $PORT in
        '') ;;
        *[!0-9]* | ??????* | 0*) wrong_usage "--port takes a number from 1 to 65535." ;;
    esac
    [ "${PORT:-1}" -le 65535 ] || wrong_usage "--port takes a number from 1 to 65535."
    case $PROVIDER in
        '' | auto | cpu | nvidia | openvino) ;;
        *) wrong_usage "--provider takes auto, cpu, nvidia or openvino." ;;
    esac
    case $MODEL in
        '' | blip-base | blip-large | sample) ;;
        *) wrong_usage "--model takes blip-base, blip-large or sample." ;;
    esac
    case $NAME in
        *[\"\\[:cntrl:]]*) wrong_usage "--name takes letters, without quotation marks and backslashes." ;;
    esac
    [ "${#NAME}" -le 40 ] || wrong_usage "--name takes 40 letters at most."
    case $DATA in
        '') ;;
        *[!A-Za-z0-9/._-]* | [!/]* | */../* | */..) wrong_usage "--data takes a whole path of letters, digits, dots and dashes." ;;
        *)
            DATA=$(realpath --canonicalize-missing --no-symlinks "$DATA") # one slash for two, none at the end
            check_folder "$DATA"
            check_folder "$(readlink -m "$DATA")"
            ;;
    esac
    if [ -n "$REALLY" ] && [ -z "$REMOVE_PHOTOS" ]; then
        wrong_usage "--yes-remove-photos goes with --remove-photos."
    fi
}

# The library's folder is given to the user shoebox, and removed with the photos: none of the system's may be it.
check_folder() {
    case $1/ in
        /home/* | /root/* | /run/* | /var/run/* | /tmp/* | /var/tmp/* | /dev/* | /proc/* | /sys/*)
            wrong_usage "$DATA cannot be used: the services do not see it. Choose a folder such as /srv/shoebox." ;;
        /var/lib/shoebox/) return 0 ;;
        // | /etc/* | /usr/* | /boot/* | /bin/* | /sbin/* | /lib/* | /lib64/* | /opt/shoebox/* | \
            /var/lib/shoebox-state/* | /var/lib/*/?* | /opt/ | /srv/ | /media/ | /mnt/) ;;
        /var/lib/?*/)
            # Programs keep their own there: only what is new, empty or a library already is not theirs.
            [ -e "$1" ] && [ ! -e "$1/library.db" ] && [ -n "$(ls -A "$1" 2>/dev/null)" ] || return 0
            ;;
        /var/*) ;;
        *) return 0 ;;
    esac
    wrong_usage "$DATA cannot be used: it is the system's. Choose a folder such as /srv/shoebox."
}

main() {
    read_options "$@"
    begin_saying
    case $COMMAND in
        check) do_check ;;
        uninstall) do_uninstall ;;
        *) do_install ;;
    esac
}

# On one line, and so read to its end before anything is done: what is run may be taken away meanwhile.
main "$@"; exit
