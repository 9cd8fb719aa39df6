# shellcheck shell=bash
# The steps of install, upgrade with its way back, and uninstall.

FORMER=$OPT/former       # what an upgrade would need to go back: choices, settings, database and where it was
UPGRADING=$OPT/upgrading # holds the former release's name while an upgrade is not over
PARTLY=()                # what was asked for and could not be had
MODEL_FITS=yes
ENDED='' # whether a former, interrupted upgrade was brought to its end
WENT_BACK=1

# Sets what was not given to what the settings file says, what was chosen at a former time, or its default.
choose() {
    ASKED_MODEL=$MODEL
    PORT=${PORT:-$(setting port)} && PORT=${PORT:-$(chosen port)} && PORT=${PORT:-80}
    DATA=${DATA:-$(setting data)} && DATA=${DATA:-$(chosen data)} && DATA=${DATA:-/var/lib/shoebox}
    MDNS=${MDNS:-$(chosen mdns)} && MDNS=${MDNS:-yes}
    UPDATES=${UPDATES:-$(chosen updates)} && UPDATES=${UPDATES:-yes}
    HARDWARE=$(hardware)
    PROVIDER=${PROVIDER:-$(chosen provider)}
    case $PROVIDER in
        '' | auto)
            PROVIDER=$HARDWARE
            # It was not asked for by name: without its packages the processor does.
            if ! has_packages_for "$PROVIDER"; then
                note "$WHEELS holds no packages for the graphics card ($PROVIDER), so describing runs on the processor."
                PROVIDER=cpu
            fi
            ;;
    esac
}

# has_packages_for PROVIDER: whether the folder of --wheels, beside which nothing is fetched, has what only that one needs.
has_packages_for() {
    local name
    case $1 in
        nvidia) name=onnxruntime_gpu ;;
        openvino) name=onnxruntime_openvino ;;
        *) return 0 ;;
    esac
    [ -z "$WHEELS" ] || [ "$1" = "$(chosen provider)" ] || compgen -G "$WHEELS/$name-*.whl" >/dev/null
}

# The packages that suit this machine: nvidia, openvino or cpu.
hardware() {
    local device vendor class found=cpu
    for device in "${SYS:-/sys}"/bus/pci/devices/*; do
        [ -r "$device/class" ] || continue
        vendor=$(cat "$device/vendor") class=$(cat "$device/class")
        case "$vendor $class" in
            "0x10de 0x03"*) found=nvidia && break ;;
            "0x8086 0x03"*) found=openvino ;;
        esac
    done
    # Without its driver a card is of no use; on other processors there is nothing to install.
    [ "$found" != nvidia ] || nvidia-smi >/dev/null 2>&1 || found=cpu
    [ "$(uname -m)" = x86_64 ] || [ "$found" = cpu ] || found=cpu
    printf '%s' "$found"
}

# Few questions, and only at the first time.
ask_questions() {
    [ -z "$(current_name)" ] || return 0
    [ -z "$YES" ] && [ -t 0 ] || return 0
    say "A few questions; Enter takes what stands in brackets."
    NAME=$(ask "What is the box called?" "${NAME:-Shoebox}")
    PORT=$(ask "On which port does its page answer?" "$PORT")
    DATA=$(ask "In which folder do the photos go?" "$DATA")
    [ "$HARDWARE" = cpu ] || PROVIDER=$(ask "A graphics card was found. What does describing run on (cpu, nvidia, openvino)?" "$PROVIDER")
    [ -n "$MODEL_FROM" ] || MODEL=$(ask "Which model (blip-base: 1 GB to download; sample: knows drawn shapes only)?" "${MODEL:-blip-base}")
    MDNS=$(yes_or_no "Shall the box be known as shoebox.local?" "$MDNS")
    UPDATES=$(yes_or_no "Shall Debian's security updates be installed at night?" "$UPDATES")
    check_options
}

yes_or_no() {
    case $(ask "$1" "$2") in
        [yY]*) printf yes ;;
        *) printf no ;;
    esac
}

one_at_a_time() {
    exec 9>/run/shoebox-setup.lock # not in /run/lock, where anybody may lay a link
    flock -n 9 || fail "Another setup of Shoebox runs on this machine." "Wait until it has ended."
}

do_install() {
    find_source
    work_folder
    if [ "$(id -u)" = 0 ] && [ -z "$DRY_RUN" ]; then
        one_at_a_time
        end_interrupted_upgrade
    fi
    choose
    check_options
    ask_questions
    if [ "$COMMAND" = go-back ]; then
        choose_kept_release
    else
        RELEASE=$(release_name) || RELEASE='' # without Python, which is said below
    fi
    if [ -z "$SOURCE$RELEASE" ]; then
        wrong_usage "Shoebox is not installed, and there is nothing to install from. Say where it is: --from"
    elif [ "$COMMAND" = upgrade ] && [ -z "$(current_name)" ]; then
        wrong_usage "Shoebox is not installed here. Install it: shoebox-setup install"
    fi
    look
    if [ "$MISSING" -gt 0 ]; then
        say "Missing: $MISSING. Nothing was changed."
        exit 3
    fi
    if [ -n "$DRY_RUN" ]; then
        plan
        exit 0
    fi
    local former
    former=$(current_name)
    mkdir -p "$OPT/releases"
    if [ -n "$former" ] && [ "$former" != "$RELEASE" ]; then
        replace "$former"
    else
        install_here "$former"
    fi
    say_end "$former"
}

# For go-back: the release that an upgrade has left here, in RELEASE, and its own files in HERE.
choose_kept_release() {
    local former
    former=$(current_name)
    [ -n "$former" ] || wrong_usage "Shoebox is not installed here."
    RELEASE=$(other_releases "$former" | sed -n '/\.unfinished$/d;p;q')
    [ -n "$RELEASE" ] || fail "No other version of Shoebox is kept here." "Install one from its file: sudo shoebox-setup upgrade --from PLACE"
    HERE=$(packages_of "$OPT/releases/$RELEASE")/appliance/systemd
    case $(cd "$HERE/../.." && echo onnxruntime_*.dist-info) in
        onnxruntime_gpu-*) PROVIDER=nvidia ;;
        onnxruntime_openvino-*) PROVIDER=openvino ;;
        *) PROVIDER=cpu ;;
    esac
    if [ "$(id -u)" = 0 ] && ! must can_use_library; then
        fail "Shoebox ${RELEASE%-*} cannot use this library any more. Nothing was changed." "Mostly the newer version has brought the library up to date: stay with it; a still newer one may mend what does not please."
    fi
}

can_use_library() {
    runuser -u shoebox -- "$OPT/releases/$RELEASE/bin/python" -P -c '
import sys
from appliance import errors, settings
from appliance.library import opening
try:
    opening.look(settings.load())
except errors.ShoeboxError as error:
    sys.exit(f"{error}")'
}

# What would be done, for --dry-run.
plan() {
    local former
    former=$(current_name)
    say "This would be done:"
    [ "${#APT[@]}" = 0 ] || note "apt installs ${APT[*]}."
    if [ "$former" = "$RELEASE" ]; then
        note "$RELEASE is installed; what is missing beside it would be mended."
    elif [ -n "$former" ]; then
        note "The database is backed up; $RELEASE takes the place of $former, which comes back if it does not work."
    else
        note "$RELEASE is put together in $OPT from $SOURCE, with packages for $PROVIDER."
    fi
    note "User and group shoebox, $SETTINGS, units shoebox* in $UNITS, the commands shoebox and shoebox-setup in /usr/local."
    note "The library is in $DATA, the page on port $PORT."
    [ "$MDNS" != yes ] || note "The box is known as shoebox.local (avahi-daemon)."
    [ "$UPDATES" != yes ] || note "Debian's security updates are installed at night (unattended-upgrades)."
    if [ -z "$former" ] || [ -n "$ASKED_MODEL$MODEL_FROM" ]; then
        note "The model is ${MODEL_FROM:-${MODEL:-blip-base where its hub can be reached, else the sample}}."
    fi
    note "Services are started, and tried with a drawn scene that is removed again."
    say "Nothing was changed."
}

get_apt() {
    [ "${#APT[@]}" = 0 ] && return 0
    install_apt "${APT[@]}" || fail "apt could not install ${APT[*]}." "Type: sudo apt update && sudo apt install ${APT[*]}"
    good "apt has installed ${APT[*]}."
    CHANGED=1
}

install_here() {
    local former=$1 ran=''
    [ -n "$former" ] || TAKE_BACK=take_back_install
    get_apt
    make_release
    use_release "$RELEASE"
    keep_choices
    ! services_run || ran=1
    put_system
    if [ -z "$CHANGED" ] && [ -n "$ran" ]; then
        put_model "$former"
        CHANGED=$ENDED
        return 0
    fi
    if [ -n "$ran" ]; then
        TAKE_BACK=${TAKE_BACK:-start_again}
        stop_services
    fi
    start_services || fail "The services could not be started." "Look at: journalctl -u 'shoebox*' -n 50"
    put_model "$former"
    note "The box is sent a scene to describe."
    verify || fail "Shoebox does not work on this machine." "Look at: journalctl -u 'shoebox*' -n 50"
    sync # from here on a power cut takes nothing back: no unit may be left empty
    CHANGED=1 TAKE_BACK=''
}

put_system() {
    put_units "$HERE"
    put_settings
    put_mdns || PARTLY+=("The box is not known as shoebox.local: avahi-daemon could not be set up.")
    put_updates || PARTLY+=("Security updates are not installed at night: unattended-upgrades could not be set up.")
}

# Broken off while it was stopped. Its socket may have got another port: it works only once it was stopped to the end.
start_again() {
    stop_services
    start_services
    return 0
}

# The first installation failed: all is as before, but for what apt installed.
take_back_install() {
    note "What was begun is taken back."
    stop_services
    remove_programs
    rmdir "$DATA" 2>/dev/null
    [ ! -d "$DATA" ] || note "The library in $DATA stays."
}

replace() {
    local former=$1
    say "   Shoebox ${former%-*} ($former) is replaced by ${RELEASE%-*} ($RELEASE)."
    if [ -e "$DATA/library.db" ]; then
        if has_its_python; then
            must as_shoebox backup || fail "The database could not be backed up, so nothing was changed." "See above; sudo shoebox doctor tells more."
            good "The database is backed up."
        else
            note "Shoebox ${former%-*} does not run with this machine's Python, which is newer than it: its database is copied, without a backup by itself."
        fi
    fi
    get_apt
    make_release
    keep_former "$former"
    TAKE_BACK=take_back_upgrade
    stop_services
    copy_database
    use_release "$RELEASE"
    keep_choices
    put_system
    start_services || fail "The services could not be started."
    note "The box is sent a scene to describe."
    verify || fail "Shoebox ${RELEASE%-*} does not work on this machine."
    TAKE_BACK=''
    forget_former
    put_model "$former"
    remove_old_releases
    CHANGED=1
}

take_back_upgrade() { go_back "Shoebox ${RELEASE%-*} was not installed."; }

keep_former() {
    rm -rf "$FORMER"
    (umask 077 && mkdir "$FORMER")
    cp -p "$SETTINGS" "$FORMER"
    [ ! -f "$CHOICES" ] || cp -p "$CHOICES" "$FORMER"
    printf '%s\n' "$DATA" >"$FORMER/data"
    printf '%s\n' "$1" >"$UPGRADING.new"
    sync -f "$OPT"
    mv -T "$UPGRADING.new" "$UPGRADING"
    sync -f "$OPT"
}

# The upgrade is over, one way or the other, and what there is now is on the disk before what there was goes.
forget_former() {
    sync
    rm -f "$UPGRADING"
    rm -rf "$FORMER"
}

# With nobody writing to it, the database's files are the database.
copy_database() {
    local file
    [ -e "$DATA/library.db" ] || return 0
    mkdir "$FORMER/database.part"
    for file in "$DATA"/library.db{,-wal,-shm}; do
        [ ! -e "$file" ] || cp -p "$file" "$FORMER/database.part" || fail "The database could not be copied." "Make room on the disk of $OPT."
    done
    sync -f "$OPT"
    mv "$FORMER/database.part" "$FORMER/database"
    sync -f "$OPT"
}

# had_the_same_steps COPY DATABASE: whether the two were brought up to date alike. Closed again, each is one file.
had_the_same_steps() {
    local copied now
    copied=$(steps_of "$1") || return 1
    # As the user whose folder it is in: as root, what SQLite finds beside it could have it change or remove any file.
    now=$(steps_of "$2" runuser -u shoebox --) || return 1
    [ "$copied" = "$now" ]
}

# steps_of DATABASE [COMMAND…]: its steps, read by a Python that the command runs.
steps_of() {
    local file=$1
    shift
    "$@" "$PYTHON" -c '
import contextlib, sqlite3, sys
try:
    with contextlib.closing(sqlite3.connect(f"file:{sys.argv[1]}?mode=rw", uri=True)) as database:
        print(database.execute("SELECT name FROM _sqlite_migrations ORDER BY id").fetchall())
except sqlite3.Error as error:
    sys.exit(f"{error}")' "$file" 2>>"$LOG" </dev/null
}

# restore_database RELEASE: the database as it was, where that release has brought it up to date, which the former one
# could not use. What it was until now is set aside. Fails where there is no library: its disk may come back.
restore_database() {
    local copy=$FORMER/database/library.db place file aside
    [ -d "$FORMER/database" ] || return 0
    place=$(cat "$FORMER/data" 2>/dev/null || printf '%s' "$DATA")
    local database=$place/library.db new=$place/library-before-upgrade.db
    if [ -e "$database" ]; then
        ! had_the_same_steps "$copy" "$database" || return 0
    elif [ ! -e "$new" ]; then # else the power failed in here
        return 1
    fi
    # The folder is the user shoebox's: a link that lies there under this name is not followed.
    cp -pT --remove-destination "$copy" "$new" && sync -f "$new" || return 1
    aside=$database.of-$1-$(date -u +%FT%H%M%SZ)
    for file in "$database"{,-wal,-shm}; do
        [ ! -e "$file" ] || mv -T "$file" "$aside${file#"$database"}"
    done
    mv -T "$new" "$database"
    sync -f "$place"
    note "The database is as it was before the upgrade."
    [ ! -e "$aside" ] || note "What Shoebox ${1%-*} had made of it is kept: $aside"
}

# An upgrade that power, or kill -9, ended at a former time. What was in use since then stays where it works: photos may
# have been added to it. Else all is as it was before the upgrade.
end_interrupted_upgrade() {
    local former now PORT='' DATA='' PROVIDER=''
    [ -f "$UPGRADING" ] || return 0
    former=$(cat "$UPGRADING") now=$(current_name)
    if [ ! -d "$OPT/releases/${former:-none}" ]; then
        forget_former # there is nothing to go back to
        return 0
    fi
    as_chosen
    [ ! -f "$FORMER/data" ] || DATA=$(cat "$FORMER/data")
    if [ -d "$FORMER/database" ] && [ ! -e "$DATA/library.db" ] && [ ! -e "$DATA/library-before-upgrade.db" ]; then
        fail "An upgrade was interrupted, and the library is not in $DATA now." "Attach its disk, and run this again."
    fi
    if [ -n "$now" ] && [ "$now" != "$former" ]; then
        note "An upgrade to $now was interrupted. It is sent a scene to describe."
        as_chosen
        put_units "$(packages_of "$CURRENT")/appliance/systemd"
        [ -z "$CHANGED" ] || stop_services
        if start_services && verify; then
            forget_former
            good "Shoebox ${now%-*} works, and stays."
            CHANGED='' ENDED=1
            return 0
        fi
    fi
    go_back "An upgrade was interrupted."
    [ ! -f "$UPGRADING" ] || exit 1
    if [ -z "$SOURCE" ] && [ "$now" != "$former" ]; then
        # These very files are gone with the version that they are of.
        say "The former version, ${former%-*}, is in use again. For anything else run this once more: sudo shoebox-setup"
        exit "$WENT_BACK"
    fi
    CHANGED='' ENDED=1
}

# What was chosen when the release in use was set up, into PORT, DATA and PROVIDER.
as_chosen() {
    PORT=$(setting port) && PORT=${PORT:-$(chosen port)} && PORT=${PORT:-80}
    DATA=$(setting data) && DATA=${DATA:-$(chosen data)} && DATA=${DATA:-/var/lib/shoebox}
    PROVIDER=$(chosen_provider)
}

# go_back WHY: to the release before an upgrade. Sets WENT_BACK to 0 where that works.
go_back() {
    local former failed PORT=$PORT DATA=$DATA PROVIDER=$PROVIDER # as they were; only in here
    former=$(cat "$UPGRADING")
    failed=$(cat "$FORMER/failed" 2>/dev/null) || true
    if [ -z "$failed" ]; then
        failed=$(current_name)
        # For when the power fails in here: the former one is in use then.
        printf '%s\n' "$failed" >"$FORMER/failed" || true
        sync -f "$OPT"
    fi
    WENT_BACK=1
    lack "$* The former version, ${former%-*}, comes back."
    stop_services
    use_release "$former"
    if ! restore_database "$failed"; then
        lack "The database as it was before the upgrade could not be put back: the disk of the library is missing, or full. Attach it, or make room, and type: sudo shoebox-setup"
        return 0
    fi
    [ ! -f "$FORMER/choices" ] || put "$CHOICES" 644 root <"$FORMER/choices"
    put "$SETTINGS" 640 shoebox <"$FORMER/shoebox.toml"
    as_chosen
    put_units "$(packages_of "$CURRENT")/appliance/systemd"
    start_services || true # which is seen below
    [ -z "$failed" ] || [ "$failed" = "$former" ] || rm -rf "${OPT:?}/releases/$failed"
    if verify; then
        good "Shoebox ${former%-*} runs again."
        WENT_BACK=0
    else
        lack "Shoebox ${former%-*} does not answer, either. Look at: journalctl -u 'shoebox*' -n 50"
    fi
    forget_former
}

# The model: asked for, or at the first installation the real one where it can be had.
put_model() {
    local former=$1 from=$MODEL_FROM
    if [ -n "$MODEL_FROM" ]; then
        from=$(readlink -f "$MODEL_FROM")
        if ! runuser -u shoebox -- test -r "$from/config.json"; then
            rm -rf "$OPT/model-from" # a stick that only root can read; the model is called as its folder
            mkdir "$OPT/model-from" && cp -r "$from" "$OPT/model-from" && chown -R shoebox:shoebox "$OPT/model-from"
            from=$OPT/model-from/$(basename "$from")
        fi
        install_model --from "$from" || PARTLY+=("The model in $MODEL_FROM was not installed; the sample model, which knows drawn shapes only, describes until one is.")
        rm -rf "$OPT/model-from"
    elif [ -n "$ASKED_MODEL" ] || [ -z "$former" ]; then
        MODEL=${MODEL:-blip-base}
        if [ "$MODEL" = sample ]; then
            note "The sample model describes: it knows drawn shapes only. For photos: sudo shoebox models install blip-base"
        elif as_shoebox models list --json 2>/dev/null | grep -q "\"id\": \"$MODEL"; then
            note "$MODEL is installed."
        elif [ "$MODEL_FITS" = yes ] && hub_answers && install_model "$MODEL"; then
            :
        else
            note "$MODEL was not installed: its hub cannot be reached, or it has no room. The sample model describes: it knows drawn shapes only."
            note "Later: sudo shoebox models install $MODEL"
            [ -z "$ASKED_MODEL" ] || PARTLY+=("The model $MODEL was not installed.")
        fi
    fi
}

install_model() {
    say "   The model is installed; this takes minutes, and for a download longer."
    must as_shoebox models install "$@" || return 1
    good "The model is installed."
    CHANGED=1
}

hub_answers() {
    quietly runuser -u shoebox -- "$CURRENT/bin/python" -P -c '
import sys, httpx
from appliance import settings
try:
    httpx.head(settings.load().hub, timeout=5, follow_redirects=True)
except httpx.HTTPError as error:
    sys.exit(f"The hub: {error}")'
}

say_end() {
    local former=$1 address text shown
    if [ -z "$CHANGED" ]; then
        say "Everything is as it should be. Nothing was changed."
    else
        address=$(hostname -I 2>/dev/null | cut -d ' ' -f 1)
        shown=$([ "$PORT" = 80 ] || printf ':%s' "$PORT")
        say ''
        say "Shoebox ${RELEASE%-*} runs. Open on a phone or computer at home:"
        [ "$MDNS" != yes ] || say "   http://shoebox.local$shown/"
        say "   http://${address:-this-computer}$shown/"
        text=$(sed -n 's/^claim_code = "\(.*\)"/\1/p' "$SETTINGS")
        if [ -z "$former" ] && [ -z "$(as_shoebox account list)" ]; then
            if [ -n "$text" ]; then
                # On the screen alone: the log is kept.
                printf 'The first visitor becomes its owner, and is asked for this code: %s\n' "$text"
            else
                say "The first visitor becomes its owner: open it at once."
            fi
        fi
    fi
    [ "${#PARTLY[@]}" = 0 ] && return 0
    for text in "${PARTLY[@]}"; do lack "$text"; done
    exit 4
}

# Everything but the library, and what apt installed.
remove_programs() {
    local timer
    quietly systemctl disable shoebox.target || true
    # The image's; they would look for what is gone.
    quietly systemctl disable --now shoebox-screen.service shoebox-firstboot.service || true
    take_away "$UNITS"/shoebox*.service "$UNITS"/shoebox*.socket "$UNITS"/shoebox*.path "$UNITS"/shoebox*.timer \
        "$UNITS"/shoebox.target "$UNITS"/shoebox*.d "$UNITS"/multi-user.target.wants/shoebox* \
        /usr/lib/sysusers.d/shoebox.conf /usr/lib/tmpfiles.d/shoebox.conf /etc/tmpfiles.d/shoebox-data.conf \
        /usr/local/lib/shoebox /usr/local/bin/shoebox /usr/local/sbin/shoebox-setup "$APT_CONF" "$SETTINGS" "$OPT" /run/shoebox
    for timer in apt-daily apt-daily-upgrade; do take_drop_in "$UNITS/$timer.timer.d/shoebox-updates.conf"; done
    quietly systemctl daemon-reload || true
    quietly systemctl reset-failed 'shoebox*' || true
    if grep -qsx 'host-name=shoebox' "$AVAHI"; then
        put "$AVAHI" 644 root < <(sed '/^host-name=shoebox$/d' "$AVAHI")
        quietly systemctl try-restart avahi-daemon.service || true
    fi
}

# What Shoebox itself makes in its folder: a folder that was there before may hold other things.
remove_library() {
    local place=${DATA:?}
    take_away "$place"/{originals,derived,incoming,models,backups,shoebox.json} "$place"/library*.db* "$place"/queue.db* \
        "$place"/*.lock
    if [ "$DATA" = /var/lib/shoebox ]; then
        # On a card and on a disk of its own the folder is where that is mounted, and cannot go.
        ! mountpoint -q "$DATA" || find "$DATA" -mindepth 1 -xdev -delete
        let_disk_go
        mountpoint -q "$DATA" || take_away "$DATA"
    elif [ -d "$DATA" ]; then
        rmdir "$DATA" 2>/dev/null || note "$DATA holds other things, which stay."
    fi
}

remove_user() {
    take_away /var/lib/shoebox-state
    ! getent passwd shoebox >/dev/null || quietly userdel shoebox || true
    ! getent group shoebox >/dev/null || quietly groupdel shoebox || true
}

# The disk on USB that systemd/adopt-disk moved the library to.
let_disk_go() {
    [ -f "$UNITS/media-shoebox.mount" ] || return 0
    quietly systemctl disable --now var-lib-shoebox.mount || true
    quietly systemctl stop media-shoebox.mount || note "The disk in /media/shoebox is in use, and stays there until the machine is restarted."
    take_away "$UNITS"/{media-shoebox,var-lib-shoebox}.mount "$UNITS"/var-lib-shoebox.mount.wants/shoebox-disk-back.service
    rmdir /media/shoebox 2>/dev/null || true
    quietly systemctl daemon-reload || true
}

do_uninstall() {
    choose
    # What is taken away with the photos must be a folder that could be chosen, also where the settings name it.
    [ -z "$REMOVE_PHOTOS" ] || check_options
    [ "$(id -u)" = 0 ] || fail "This needs root's rights." "Type: sudo $0 ${ARGUMENTS[*]}"
    work_folder
    [ -n "$DRY_RUN" ] || one_at_a_time
    local answer='' gone='' library='' where=''
    if [ -n "$REMOVE_PHOTOS" ] && [ -z "$REALLY" ] && [ -z "$DRY_RUN" ]; then
        [ -t 0 ] && read -r -p "All photos and videos in $DATA are removed for good. Type 'remove' to go on: " answer
        [ "$answer" = remove ] || fail "The photos were not removed, and Shoebox is still installed." "Without anybody to type: --remove-photos --yes-remove-photos"
    fi
    if [ -n "$DRY_RUN" ]; then
        say "Shoebox would be taken away${REMOVE_PHOTOS:+, with all photos and videos in $DATA}. Nothing was changed."
        return 0
    fi
    stop_services
    # Before the programs and the settings, which name its folder: broken off, it can be done again.
    if [ -n "$REMOVE_PHOTOS" ]; then
        [ ! -d "$OPT" ] && [ ! -e "$DATA/library.db" ] && [ ! -d "$DATA/originals" ] || library=1
        [ -z "$library" ] || remove_library
        CHANGED=''
    fi
    remove_programs
    gone=$CHANGED
    if [ -n "$library" ]; then
        remove_user
        say "Shoebox is taken away, with the photos. This stays: $LOG_FILE, and what apt installed."
    elif [ -n "$REMOVE_PHOTOS" ]; then
        lack "There is no library in $DATA, so no photos were removed. Say where they are: uninstall --remove-photos --data FOLDER" >&2
        exit 1
    elif [ -n "$gone" ]; then
        [ "$DATA" = /var/lib/shoebox ] || where=" --data $DATA"
        say "Shoebox is taken away. The photos and videos, and what is known of them, stay in $DATA."
        say "Installed again${where:+ with$where}, it goes on with them. To remove them: uninstall --remove-photos$where"
    else
        say "Shoebox is not installed here. Nothing was changed."
    fi
}
