# Runs a package manager while no service may be started, stopped or restarted by what it installs.
#
#   sh -c "$(cat apt.sh)" apt POLICY PROGRAM [ARGUMENT]...
#
# POLICY is the file that Debian's packages ask, /usr/sbin/policy-rc.d. One that already says no is left alone; another is put
# aside and put back at the end. Two runs at once, and one that was killed, are told by the mark.
policy=$1
shift
kept=$policy.before-hos
mark='# Made by cargo xtask; gone when packages are installed.'

ours() { grep -qxF "$mark" "$policy" 2>/dev/null; }
put_back() {
    ours || return 0
    if [ -e "$kept" ]; then mv "$kept" "$policy"; else rm -f "$policy"; fi
}

denied=
if [ -x "$policy" ] && ! ours; then
    "$policy" any start >/dev/null 2>&1
    [ "$?" -ne 101 ] || denied=1
fi
if [ -z "$denied" ]; then
    trap put_back EXIT
    trap 'exit 130' HUP INT TERM
    if [ -e "$policy" ] && ! ours; then mv "$policy" "$kept" || exit 1; fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy" && chmod 755 "$policy" || exit 1
fi
"$@"
