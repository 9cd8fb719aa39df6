# shellcheck shell=bash
# What setup.sh says: status lines, a log, errors with a next step; and what it takes back when it is broken off.

LOG=/dev/null
LOG_FILE=/var/log/shoebox-setup.log
WORK=${SHOEBOX_SETUP_WORK:-} # a folder for this run alone

begin_saying() {
    GOOD='' BAD='' DIM='' PLAIN=''
    if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
        GOOD=$'\033[32m' BAD=$'\033[31m' DIM=$'\033[2m' PLAIN=$'\033[0m'
    fi
    if [ "$(id -u)" = 0 ] && [ "$COMMAND" != check ] && [ -z "$DRY_RUN" ]; then
        LOG=$LOG_FILE
        (umask 077 && : >>"$LOG")
        printf '\n== %s %s %s\n' "$(date -u +%FT%TZ)" "$COMMAND" "${ARGUMENTS[*]}" >>"$LOG"
    fi
    TAKE_BACK='' # what to do when it ends before its time
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# What is taken back runs in here, where a bare `return` would hand on the status of before: hence `return 0` everywhere.
finish() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    set +e
    stop_trying
    [ -z "$TAKE_BACK" ] || $TAKE_BACK
    [ -z "$WORK" ] || rm -rf "$WORK"
    exit "$status"
}

# A folder for this run, which is gone at its end.
work_folder() {
    [ -n "$WORK" ] || WORK=$(readlink -f "$(mktemp -d)")
}

say() {
    printf '%s\n' "$*"
    printf '%s\n' "$*" >>"$LOG"
}

good() { line "$GOOD" 'ok' "$@"; }
note() { line "$DIM" '--' "$@"; }
lack() { line "$BAD" '!!' "$@"; }

line() {
    local colour=$1 mark=$2
    shift 2
    printf '%s%s%s %s\n' "$colour" "$mark" "$PLAIN" "$*"
    printf '%s %s\n' "$mark" "$*" >>"$LOG"
}

# What went wrong, what to do next; ends with status 1.
fail() {
    lack "$1" >&2
    [ -z "${2:-}" ] || line '' '  ' "$2" >&2
    [ "$LOG" = /dev/null ] || line '' '  ' "All that was done is in $LOG." >&2
    exit 1
}

# Runs a command whose output goes to the log.
quietly() {
    printf '+ %s\n' "$*" >>"$LOG"
    "$@" >>"$LOG" 2>&1 </dev/null
}

# The same, at the end of its patience with the reason on the screen.
must() {
    local began
    began=$(wc -l <"$LOG")
    quietly "$@" && return 0
    tail -n "+$((began + 2))" "$LOG" | tail -n 12 | sed 's/^/   /' >&2
    return 1
}

# ask QUESTION DEFAULT: prints the answer, which is the default without anybody to ask.
ask() {
    local answer=''
    if [ -z "$YES" ] && [ -t 0 ]; then
        read -r -p "$1 [$2] " answer || answer=''
    fi
    printf '%s' "${answer:-$2}"
}
