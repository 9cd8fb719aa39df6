# shellcheck shell=bash
# What lies in the system beside the releases: user, folders, settings, units, name on the network, updates.

UNITS=/etc/systemd/system
SETTINGS=/etc/shoebox.toml
CHOICES=$OPT/choices
AVAHI=/etc/avahi/avahi-daemon.conf
APT_CONF=/etc/apt/apt.conf.d/52shoebox-updates
CHANGED='' # whether anything was
TRYING=''  # the group of processes that tries the box

# put TARGET MODE GROUP: standard input becomes the file, in one piece, unless it is just so already.
put() {
    local target=$1 mode=$2 group=$3
    cat >"$WORK/put"
    if cmp -s "$WORK/put" "$target" && [ "$(stat -c '%a %G' "$target")" = "$mode $group" ]; then
        return 0
    fi
    mkdir -p "$(dirname "$target")"
    # The name keeps systemd, apt and the like from reading it before it is whole.
    (umask 077 && cp "$WORK/put" "$target.unfinished")
    chgrp "$group" "$target.unfinished"
    chmod "$mode" "$target.unfinished"
    mv -T "$target.unfinished" "$target"
    note "$target is written."
    CHANGED=1
}

# take_away FILE…: removes what is there.
take_away() {
    local file
    for file in "$@"; do
        [ -e "$file" ] || [ -h "$file" ] || continue
        rm -rf "$file"
        note "$file is removed."
        CHANGED=1
    done
}

# chosen NAME: what was chosen at a former time, "" for nothing.
chosen() {
    [ ! -f "$CHOICES" ] || sed -n "s/^$1=//p" "$CHOICES"
}

# setting NAME: what the settings file says, "" for nothing.
setting() {
    [ ! -r "$SETTINGS" ] || sed -nE "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*[\"']?([^\"'#]*[^\"'#[:space:]]).*/\1/p" "$SETTINGS" | tail -n 1
}

# The packages that the release in use has; on a flashed card, where nothing was chosen, the processor's.
chosen_provider() {
    local provider
    provider=$(chosen provider)
    printf '%s' "${provider:-cpu}"
}

keep_choices() {
    put "$CHOICES" 644 root <<CHOICES
# What was chosen when Shoebox was set up. Written by shoebox-setup, which is the way to change it.
port=$PORT
data=$DATA
provider=$PROVIDER
mdns=$MDNS
updates=$UPDATES
CHOICES
}

# install_apt PACKAGE…: with apt, once more with fresh lists where that fails.
install_apt() {
    export DEBIAN_FRONTEND=noninteractive
    # A machine that has just started may be renewing itself: that is waited for.
    set -- apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
    quietly "$@" && return 0
    quietly apt-get update && must "$@"
}

is_there() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }

# put_units FOLDER: user, folders, commands and units from a release's folder systemd/.
put_units() {
    local from=$1 file unit
    put /usr/lib/sysusers.d/shoebox.conf 644 root <"$from/sysusers.conf"
    getent passwd shoebox >/dev/null || must systemd-sysusers /usr/lib/sysusers.d/shoebox.conf
    put /usr/lib/tmpfiles.d/shoebox.conf 644 root <"$from/tmpfiles.conf"
    for file in "$from"/*.service "$from"/*.socket "$from"/*.path "$from"/*.timer "$from"/*.target; do
        unit=$(basename "$file")
        [ ! -f "$file" ] || put "$UNITS/$unit" 644 root <"$file"
    done
    # Of units that the release no longer has.
    for file in "$UNITS"/shoebox-*.service "$UNITS"/shoebox-*.socket "$UNITS"/shoebox-*.path "$UNITS"/shoebox-*.timer; do
        [ ! -e "$file" ] || [ -f "$from/$(basename "$file")" ] && continue
        quietly systemctl disable "$(basename "$file")" || true
        take_away "$file"
    done
    put /usr/local/lib/shoebox/orders.sh 755 root <"$from/orders.sh"
    put /usr/local/lib/shoebox/adopt-disk 755 root <"$from/adopt-disk"
    put /usr/local/bin/shoebox 755 root <"$from/setup/shoebox"
    put /usr/local/sbin/shoebox-setup 755 root <"$from/setup/shoebox-setup"
    put_drop_ins "$from"
    mkdir -p "$(dirname "$DATA")"
    quietly systemd-tmpfiles --create shoebox.conf || fail "The library's folder $DATA could not be made." "Check its disk, and run this again."
    [ ! -f /etc/tmpfiles.d/shoebox-data.conf ] || quietly systemd-tmpfiles --create shoebox-data.conf || fail "The library's folder $DATA could not be made." "Check its disk, and run this again."
}

# What differs from box to box.
put_drop_ins() {
    local unit
    if [ "$PORT" != 80 ]; then
        put "$UNITS/shoebox-.socket.d/port.conf" 644 root < <(printf '[Socket]\nListenStream=\nListenStream=%s\n' "$PORT")
    else
        take_drop_in "$UNITS/shoebox-.socket.d/port.conf"
    fi
    if [ "$DATA" != /var/lib/shoebox ]; then
        put "$UNITS/shoebox-.service.d/data.conf" 644 root < <(printf '[Service]\nReadWritePaths=-%s\n' "$DATA")
        put /etc/tmpfiles.d/shoebox-data.conf 644 root < <(printf 'd %s 0750 shoebox shoebox\n' "$DATA")
    else
        take_drop_in "$UNITS/shoebox-.service.d/data.conf"
        take_away /etc/tmpfiles.d/shoebox-data.conf
    fi
    for unit in shoebox-worker.service shoebox-errand@.service; do
        case $PROVIDER in
            nvidia | openvino)
                # Without udev, which makes it, no service with that drop-in would start.
                getent group render >/dev/null || must groupadd --system render
                put "$UNITS/$unit.d/gpu.conf" 644 root <"$1/gpu.conf"
                ;;
            *) take_drop_in "$UNITS/$unit.d/gpu.conf" ;;
        esac
    done
}

# What else lies beside it is the owner's, and stays.
take_drop_in() {
    take_away "$1"
    rmdir "$(dirname "$1")" 2>/dev/null || true
}

# The settings file, made once; later on only the lines that were asked for.
put_settings() {
    if [ ! -f "$SETTINGS" ]; then
        {
            echo '# Settings of this box; README lists them all. Those on the settings page win over these.'
            printf 'box_name = "%s"\n' "${NAME:-Shoebox}"
            printf 'port = %s\n' "$PORT"
            printf 'data = "%s"\n' "$DATA"
            if [ "$CLAIM" = yes ]; then
                echo '# Whoever visits the page first is asked for this, and then owns the box.'
                printf 'claim_code = "%s"\n' "$(claim_code)"
            fi
        } >"$WORK/settings"
        put "$SETTINGS" 640 shoebox <"$WORK/settings"
        return 0
    fi
    cp "$SETTINGS" "$WORK/settings"
    [ "$(setting port)" = "$PORT" ] || put_setting port "$PORT"
    [ "$(setting data)" = "$DATA" ] || put_setting data "\"$DATA\""
    [ -z "$NAME" ] || put_setting box_name "\"$NAME\""
    put "$SETTINGS" 640 shoebox <"$WORK/settings"
}

# put_setting NAME VALUE: in the settings that are being written, in place of the former line or as one more.
put_setting() {
    awk -v name="$1" -v value="$2" '
        match($0, "^[ \t]*" name "[ \t]*=") { if (!put) print name " = " value; put = 1; next }
        { print }
        END { if (!put) print name " = " value }' "$WORK/settings" >"$WORK/settings.new"
    mv "$WORK/settings.new" "$WORK/settings"
}

# Eight letters and digits that do not look like one another.
claim_code() {
    $PYTHON -c 'import secrets; code = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(8)); print(f"{code[:4]}-{code[4:]}")'
}

# The box answers as shoebox.local; the machine's own name stays.
put_mdns() {
    [ "$MDNS" = yes ] || return 0
    if ! is_there avahi-daemon; then
        install_apt avahi-daemon libnss-mdns || return 1
        good "avahi-daemon is installed."
        CHANGED=1
    fi
    if ! grep -qx 'host-name=shoebox' "$AVAHI"; then
        put "$AVAHI" 644 root < <(sed -e '/^host-name=/d' -e 's/^\[server\]$/[server]\nhost-name=shoebox/' "$AVAHI")
        quietly systemctl restart avahi-daemon.service || return 1
    fi
    quietly systemctl is-active avahi-daemon.service || quietly systemctl start avahi-daemon.service || return 1
}

put_updates() {
    local timer at
    [ "$UPDATES" = yes ] || return 0
    if ! is_there unattended-upgrades; then
        install_apt unattended-upgrades || return 1
        good "Debian's security updates are installed at night from now on."
        CHANGED=1
    fi
    # Debian's own come between 6 and 7 in the morning. Like those, what was missed as the machine was off is made up for;
    # on the image, its own drop-ins (shoebox.conf) are read after these.
    for timer in apt-daily:03:10 apt-daily-upgrade:03:40; do
        at=${timer#*:} timer=${timer%%:*}
        put "$UNITS/$timer.timer.d/shoebox-updates.conf" 644 root < <(printf '[Timer]\nOnCalendar=\nOnCalendar=*-*-* %s\nRandomizedDelaySec=20min\n' "$at")
    done
    put "$APT_CONF" 644 root < <(printf 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n')
}

start_services() {
    quietly systemctl daemon-reload
    quietly systemctl enable shoebox.target
    # Ended are the former ones, what gave up is forgotten.
    quietly systemctl reset-failed 'shoebox*' || true
    quietly systemctl start shoebox.target || return 1
    # The image's screen goes on with what is in use now.
    quietly systemctl try-restart shoebox-screen.service || true
}

# All that is of the release in use, by name: the image's own services stay, and so does the one that runs this at a start.
stop_services() {
    quietly systemctl stop shoebox.target 'shoebox-*.path' 'shoebox-*.socket' \
        'shoebox-web.service' 'shoebox-worker.service' 'shoebox-rescue.service' 'shoebox-orders.service' \
        'shoebox-errand@*.service' 'shoebox-given-up@*.service' 'shoebox-adopt-disk@*.service' || true
}

services_run() {
    systemctl -q is-active shoebox.target && systemctl -q is-active shoebox-web.service && systemctl -q is-active shoebox-worker.service
}

# as_shoebox ARGUMENTS…: runs the shoebox command of the release in use.
as_shoebox() { /usr/local/bin/shoebox "$@"; }

# Sends the box a scene and waits for its description; sooner over where a service has given up.
verify() {
    local began trying
    began=$(wc -l <"$LOG")
    # A group of its own, to be ended as a whole, which does not hold the lock of this run.
    setsid /usr/local/bin/shoebox try --seconds 600 >>"$LOG" 2>&1 </dev/null 9>&- &
    trying=$! TRYING=$!
    while kill -0 "$trying" 2>/dev/null; do
        if systemctl -q is-failed shoebox-web.service || systemctl -q is-failed shoebox-worker.service; then
            stop_trying
            wait "$trying" 2>/dev/null || true
            quietly journalctl --no-pager -n 40 -u shoebox-web.service -u shoebox-worker.service
            lack "Shoebox was started three times and ended each time."
            return 1
        fi
        sleep 0.3
    done
    TRYING=''
    wait "$trying" && good "$(said_since "$began")" && return 0
    lack "$(said_since "$began")"
    return 1
}

stop_trying() {
    [ -z "$TRYING" ] || kill -- "-$TRYING" 2>/dev/null || true
    TRYING=''
}

# The last line of the log, where anything was written since it had so many lines.
said_since() { tail -n "+$(($1 + 1))" "$LOG" | grep -v '^+' | tail -n 1; }
