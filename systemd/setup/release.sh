# shellcheck shell=bash
# Releases: where the new one comes from, what it is called, how it is made beside the former one.

OPT=/opt/shoebox
CURRENT=$OPT/current
SOURCE='' LINKS=()

# The name of the release in use, "" for none.
current_name() {
    [ -x "$CURRENT/bin/python" ] && basename "$(readlink -f "$CURRENT")"
    return 0
}

# The folder of a release's packages: packages_of RELEASE_FOLDER.
packages_of() {
    local folder
    for folder in "$1"/lib/python3.*/site-packages; do
        [ ! -d "$folder" ] || printf '%s' "$folder"
    done
}

# Whether the release in use has its packages for this machine's Python, which Debian may have renewed below it.
has_its_python() {
    [ -d "$CURRENT/lib/$($PYTHON -c 'import sys; print("python%d.%d" % sys.version_info[:2])')/site-packages" ]
}

# Finds what is to be installed. Sets SOURCE (a wheel, a checkout, or "" for what is installed already) and goes on with
# the source's own setup.sh where that is another one than this.
find_source() {
    SOURCE='' LINKS=()
    [ "$COMMAND" != go-back ] || return 0
    if [ -z "$FROM" ] && [ -f "$HERE/../pyproject.toml" ]; then FROM=$(readlink -f "$HERE/.."); fi
    if [ -z "$FROM" ]; then
        [ "$COMMAND" != upgrade ] || wrong_usage "Say where the new version is: --from with a wheel, or a folder such as a USB stick."
        return 0
    fi
    FROM=$(readlink -f "$FROM")
    if [ -f "$FROM" ]; then
        SOURCE=$FROM
        add_links "$(dirname "$FROM")"
    elif [ -f "$FROM/pyproject.toml" ] && [ -d "$FROM/appliance" ]; then
        SOURCE=$FROM
    else
        SOURCE=$(find "$FROM" -maxdepth 1 -name 'shoebox-*.whl' | sort -V | tail -n 1)
        [ -n "$SOURCE" ] || wrong_usage "$FROM holds no Shoebox: neither a checkout nor a file shoebox-….whl."
        add_links "$FROM"
    fi
    hand_over
}

# Packages that lie beside a wheel are taken from there.
add_links() {
    local folder
    for folder in "$1" "$1/wheels"; do
        [ -z "$(find "$folder" -maxdepth 1 -name '*.whl' ! -name 'shoebox-*' -print -quit 2>/dev/null)" ] || LINKS+=(--find-links "$folder")
    done
}

hand_over() {
    local own
    if [ -d "$SOURCE" ]; then
        own=$SOURCE/systemd
    elif ! $PYTHON -c 'import zipfile' 2>/dev/null; then
        return 0 # it is looked for, and said to be missing
    else
        work_folder
        own=$WORK/appliance/systemd
        [ -d "$own" ] || $PYTHON - "$SOURCE" "$WORK" <<'PYTHON' || wrong_usage "$SOURCE is not a whole wheel of Shoebox. Copy it again."
import sys, zipfile
try:
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        wanted = [name for name in wheel.namelist() if name.startswith(("appliance/systemd/", "appliance/requirements.lock"))]
        wheel.extractall(sys.argv[2], wanted)
        sys.exit(wheel.testzip() is not None or "appliance/systemd/setup.sh" not in wanted)
except (OSError, zipfile.BadZipFile) as error:
    sys.exit(f"{sys.argv[1]}: {error}")
PYTHON
    fi
    [ "$own" != "$HERE" ] || return 0
    [ -f "$own/setup.sh" ] || wrong_usage "$SOURCE has no systemd/setup.sh."
    trap - EXIT
    SHOEBOX_SETUP_WORK=$WORK exec bash "$own/setup.sh" "${ARGUMENTS[@]}"
}

source_version() {
    case $SOURCE in
        '') current_name | sed 's/-[0-9a-f]*$//' ;;
        *.whl) basename "$SOURCE" | cut -d - -f 2 ;;
        *) sed -n 's/^__version__ = "\(.*\)"/\1/p' "$SOURCE/appliance/__init__.py" ;;
    esac
}

# VERSION-HASH, by what is in it: the source, the packages for the hardware, Python's version.
release_name() {
    local former
    former=$(current_name)
    if [ -z "$SOURCE" ] && { [ -z "$former" ] || [ "$PROVIDER" = "$(chosen_provider)" ]; }; then
        printf '%s' "$former"
        return 0
    fi
    {
        if [ -z "$SOURCE" ]; then
            echo "$former" # what is installed, with other packages
        elif [ -f "$SOURCE" ]; then
            cat "$SOURCE"
        else
            (cd "$SOURCE" && find appliance web models systemd requirements.lock pyproject.toml -name __pycache__ -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
        fi
        echo "$PROVIDER"
        $PYTHON -c 'import sys; print(sys.version_info[:2])'
    } | sha256sum | sed "s/^\(........\).*/$(source_version)-\1/"
}

# Makes the release RELEASE unless it is there. It has its name only once it is whole.
make_release() {
    local final=$OPT/releases/$RELEASE new=$OPT/releases/$RELEASE.unfinished former
    rm -rf "$OPT"/releases/*.unfinished
    [ ! -d "$final" ] || return 0
    make_room
    say "   Shoebox ${RELEASE%-*} is put together; this takes some minutes."
    mkdir -p "$new/tmp"
    export TMPDIR=$new/tmp # /tmp may be in memory, and small
    former=$(packages_of "$CURRENT")
    if [ -n "$former" ] && has_its_python; then
        # What has not changed need not be fetched again, pip among it.
        if [ -d "$former/pip" ]; then make_environment --without-pip "$new"; else make_environment "$new"; fi
        cp -a --reflink=auto "$former/." "$(packages_of "$new")/"
        [ -z "$SOURCE" ] || rm -rf "$(packages_of "$new")"/appliance "$(packages_of "$new")"/shoebox-*.dist-info
        if [ "$PROVIDER" != "$(chosen_provider)" ]; then
            # They have the same files: nothing of one may be left below another.
            must "$new/bin/python" -m pip uninstall --yes onnxruntime onnxruntime-gpu onnxruntime-openvino
        fi
    elif [ -z "$SOURCE" ]; then
        fail "This machine's Python is another one than before, so Shoebox is put together anew, and that takes its files." "Run it again with --from and a wheel or a checkout."
    else
        make_environment "$new"
    fi
    case $PROVIDER in
        cpu) install_packages "$new" "$HERE/../requirements.lock" ;;
        *)
            work_folder
            # Whole entries: a package's name, and lines that are indented.
            sed '/^onnxruntime==/,/^[^ ]/{/^onnxruntime==/d;/^ /d}' "$HERE/../requirements.lock" >"$WORK/requirements.lock"
            install_packages "$new" "$WORK/requirements.lock"
            install_packages "$new" "$HERE/setup/$PROVIDER.lock"
            ;;
    esac
    if [ -n "$SOURCE" ]; then
        must "$new/bin/python" -m pip install "${PIP[@]}" --no-index --no-deps --no-build-isolation "$SOURCE" || fail "Shoebox itself could not be installed." "See above."
    fi
    must "$new/bin/python" -m compileall -q -j 0 -s "$new" -p "$final" "$new/lib" || note "Python's files could not all be prepared; the first start is slower."
    rm -rf "$new/tmp"
    unset TMPDIR
    grep -rlIF "$RELEASE.unfinished" "$new/bin" "$new/pyvenv.cfg" | xargs -r sed -i "s|$RELEASE\.unfinished|$RELEASE|g"
    sync -f "$new"
    mv -T "$new" "$final"
    good "Shoebox ${RELEASE%-*} is put together."
}

make_environment() {
    must "$PYTHON" -m venv "$@" || fail "Python's environment could not be made." "See above; mostly python3-venv or room on the disk is missing."
}

PIP=(--disable-pip-version-check --no-input --no-compile --no-cache-dir --root-user-action ignore --retries 1 --timeout 20)

# install_packages RELEASE_FOLDER LOCK: what the lock names, with its hashes, from folders where they have it, else the index.
install_packages() {
    local lock=requirements.lock install=("$1/bin/python" -m pip install "${PIP[@]}" --require-hashes --requirement "$2")
    if [ -n "$WHEELS" ]; then
        [ "$2" != "$HERE/setup/$PROVIDER.lock" ] || lock=systemd/setup/$PROVIDER.lock
        must "${install[@]}" --no-index --find-links "$WHEELS" || fail "The packages in $WHEELS are not all that Shoebox needs, or are damaged." "See above for what is missing. Made on another computer for this one's Python: pip download -r $lock"
        return 0
    fi
    # Also where nothing is to be fetched at all, as all is there from the former release.
    quietly "${install[@]}" --no-index "${LINKS[@]}" && return 0
    must "${install[@]}" "${LINKS[@]}" || fail "Shoebox's packages could not be downloaded." "Check the Internet connection and run this again; or bring the packages in a folder: --wheels DIR."
}

# use_release NAME: from one moment to the next.
use_release() {
    [ "$(readlink "$CURRENT" 2>/dev/null)" = "releases/$1" ] && return 0
    ln -sfn "releases/$1" "$CURRENT.new"
    mv -T "$CURRENT.new" "$CURRENT"
    sync -f "$OPT"
    CHANGED=1
}

# The releases beside one or two, the newest first: other_releases NAME…
other_releases() {
    local name
    for name in $(cd "$OPT/releases" 2>/dev/null && ls -t); do
        case " $* " in
            *" $name "*) ;;
            *) printf '%s\n' "$name" ;;
        esac
    done
}

# Keeps the release in use and the newest other one.
remove_old_releases() { remove_releases "$(other_releases "$(current_name)" | tail -n +2)"; }

remove_releases() {
    local name
    for name in $1; do
        rm -rf "${OPT:?}/releases/$name"
        note "The old release $name is removed."
    done
}

# How much would be free without the releases that are neither in use nor wanted.
spare_mib() {
    local name total=0
    for name in $(other_releases "$(current_name)" "$RELEASE"); do
        total=$((total + $(du -sm "$OPT/releases/$name" | cut -f 1)))
    done
    printf '%s' "$total"
}

# Without them an upgrade would fit but once.
make_room() {
    [ "$(free_mib "$OPT")" -ge "$OPT_MIB" ] || remove_releases "$(other_releases "$(current_name)" "$RELEASE")"
}
