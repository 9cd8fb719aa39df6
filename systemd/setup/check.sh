# shellcheck shell=bash
# What a machine must have. All is looked at before anything is said to be missing; nothing is changed.

PYTHON=python3
NEEDS_MIB=900   # for a release beside the former one: 480, and its packages while they are unpacked
NVIDIA_MIB=4500 # more, for the libraries of its cards: 1,500 packed
MODEL_MIB=3000  # for BLIP, while it is built
LEAST_MEMORY_MIB=700
NOT_BEFORE=1793491200 # November 2026: a clock that shows an earlier time is wrong

# Sets MISSING (how many things are), APT (packages that apt is to install).
look() {
    MISSING=0 APT=()
    look_root
    look_system
    look_python
    look_memory
    look_disk
    look_clock
    look_port
    look_former
}

need() {
    lack "$1"
    line '' '  ' "$2"
    MISSING=$((MISSING + 1))
}

look_root() {
    if [ "$(id -u)" != 0 ]; then
        [ "$COMMAND" = check ] || need "This needs root's rights." "Type: sudo $0 ${ARGUMENTS[*]}"
        return 0
    fi
    local folder
    for folder in /opt /etc /usr/local /var/lib; do
        [ -w "$folder" ] || need "$folder cannot be written to." "Mount it for writing, or switch the overlay file system off (raspi-config, Performance)."
    done
}

os_release() { [ ! -r /etc/os-release ] || sed -n "s/^$1=\"\?\([^\"]*\)\"\?$/\1/p" /etc/os-release; }

look_system() {
    local id version like bits
    id=$(os_release ID) version=$(os_release VERSION_ID) like=$(os_release ID_LIKE)
    case "$id $like" in
        debian* | raspbian*)
            if [ "${version%%.*}" -ge 12 ] 2>/dev/null || [ -z "$version" ]; then
                good "Debian ${version:-testing}"
            else
                need "This is Debian $version." "Shoebox needs Debian 12 (bookworm) or newer: upgrade, or flash a new card."
            fi
            ;;
        *debian*) note "This is $id, which is like Debian, and was not tried." ;;
        *) need "This is ${id:-an unknown system}, not Debian or Raspberry Pi OS." "Use a machine with Debian 12 or newer." ;;
    esac
    bits=$(getconf LONG_BIT 2>/dev/null || echo 0)
    case "$(uname -m) $bits" in
        "x86_64 64" | "aarch64 64") good "64-bit ($(uname -m))" ;;
        *) need "This is a 32-bit system ($(uname -m))." "Shoebox needs 64-bit: on a Pi 3, 4 or 5 flash Raspberry Pi OS (64-bit)." ;;
    esac
    if [ -d /run/systemd/system ] && [ "$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')" -ge 252 ] 2>/dev/null; then
        good "$(systemctl --version | sed -n '1s/ (.*//p')"
    else
        need "systemd 252 or newer does not run here." "Use Debian 12 or newer, on a machine or a virtual one of its own."
    fi
}

# can_install PACKAGE: whether apt has it.
can_install() {
    [ -n "$(apt-cache -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([^(].*\)/\1/p')" ]
}

look_python() {
    local version
    version=$($PYTHON -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || version=''
    if [ -z "$version" ]; then
        need "Python is missing." "Type: sudo apt install python3 python3-venv"
    elif ! $PYTHON -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        need "Python is $version, and Shoebox needs 3.11." "Use Debian 12 or newer, whose Python is 3.11."
    elif $PYTHON -c 'import ensurepip, venv' 2>/dev/null; then
        good "Python $version with venv"
    elif can_install python3-venv; then
        note "python3-venv is missing; apt installs it."
        APT+=(python3-venv)
    else
        need "python3-venv is missing, and apt does not have it." "Type: sudo apt update && sudo apt install python3-venv"
    fi
}

look_memory() {
    local mib
    mib=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
    if [ "$mib" -lt "$LEAST_MEMORY_MIB" ]; then
        need "This machine has $mib MiB of memory." "Shoebox needs 1 GB; a Pi with 2 GB or more is quicker."
    elif [ "$mib" -lt 1700 ]; then
        good "$mib MiB of memory, enough; BLIP is slow with less than 2 GB"
    else
        good "$mib MiB of memory"
    fi
}

# The first folder above $1 that is there.
above() {
    local folder=$1
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    printf '%s' "$folder"
}

free_mib() { df --output=avail -m "$(above "$1")" | tail -n 1 | tr -d ' '; }

look_disk() {
    local library=200 opt=$NEEDS_MIB database=0 place free
    if [ "$MODEL" != sample ] && [ ! -e "$DATA/models" ]; then library=$MODEL_MIB; fi
    [ "$PROVIDER" != nvidia ] || opt=$((opt + NVIDIA_MIB))
    [ -z "$RELEASE" ] || [ ! -d "$OPT/releases/$RELEASE" ] || opt=0
    # An upgrade copies the database, and backs it up beside itself.
    if [ -n "$(current_name)" ] && [ "$(current_name)" != "$RELEASE" ] && [ -e "$DATA/library.db" ]; then
        database=$(du -sm "$DATA/library.db" | cut -f 1)
    fi
    opt=$((opt + 100 + database))
    if [ "$(stat -c %d "$(above "$OPT")")" = "$(stat -c %d "$(above "$DATA")")" ]; then
        # One disk for both. The model can wait, the programs cannot.
        place="on the disk of $OPT and $DATA"
        opt=$((opt + database))
    else
        place="on the disk of $OPT"
        if [ "$(free_mib "$DATA")" -lt 200 ]; then
            need "$(free_mib "$DATA") MiB are free on the disk of $DATA." "Shoebox needs 200 MiB there, and room for the photos: make room, or choose another folder with --data."
        fi
    fi
    OPT_MIB=$opt
    # What make_release removes where it has to counts as free.
    free=$(($(free_mib "$OPT") + $(spare_mib)))
    if [ "$free" -lt "$opt" ]; then
        need "$free MiB are free $place." "Shoebox needs $opt MiB there: make room, or use a larger card."
        return 0
    fi
    good "$free MiB free $place"
    if [ "$(free_mib "$DATA")" -lt "$library" ]; then
        note "BLIP is left out: it needs $MODEL_MIB MiB while it is installed. Make room, then: sudo shoebox models install blip-base"
        MODEL_FITS=no
    fi
}

# Whether all is at hand, so that nothing has to be fetched by a network, where a wrong clock makes every certificate void.
all_at_hand() {
    [ "${#APT[@]}" = 0 ] || return 1
    [ -n "$WHEELS$(current_name)" ] || [ "${#LINKS[@]}" -gt 0 ]
}

look_clock() {
    if [ "$(date +%s)" -lt "$NOT_BEFORE" ]; then
        local hint="Set it: connect the machine to the Internet, or type, with the time that it is now: sudo date -s 'YEAR-MONTH-DAY HOUR:MINUTE'"
        if all_at_hand; then
            note "The clock shows $(date -u '+%F %H:%M'), which cannot be; photos get wrong dates of arrival. $hint"
        else
            need "The clock shows $(date -u '+%F %H:%M'), which cannot be." "$hint"
        fi
    elif [ "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)" = yes ]; then
        good "The clock is set by a time server."
    else
        note "No time server has set the clock ($(date -u '+%F %H:%M') UTC); nothing runs at night until one has."
    fi
}

# Who listens on the port: "" for nobody, or for Shoebox itself.
holder() {
    local found
    found=$(ss -Hltnp "sport = :$PORT" 2>/dev/null) || return 0
    [ -n "$found" ] || return 0
    if systemctl -q is-active shoebox-web.socket shoebox-rescue.socket && [ "$(chosen port)" = "$PORT" ]; then return 0; fi
    found=$(printf '%s\n' "$found" | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1, process \2/p' | sort -u | paste -sd ';')
    printf '%s' "${found:-another program}"
}

look_port() {
    local who
    who=$(holder)
    if [ -n "$who" ]; then
        need "Port $PORT is taken by $who." "Stop it, or choose another port: --port 8080"
    else
        good "Port $PORT is free."
    fi
}

look_former() {
    local former
    former=$(current_name)
    if [ -n "$former" ]; then
        good "Shoebox ${former%-*} is installed here."
    elif [ -e "$DATA/library.db" ]; then
        good "There is a library in $DATA; it is kept, and used."
    fi
}

do_check() {
    choose
    RELEASE=$(current_name)
    look
    if [ "$MISSING" -gt 0 ]; then
        say "Missing: $MISSING. Nothing was changed."
        exit 3
    fi
    say "Nothing is missing. Nothing was changed."
}
