# Keeps one database server running until standard input closes, then ends it and empties its folder.
#
#   sh supervise.sh FOLDER SIGNAL PROGRAM [ARGUMENT]...
#
# Whoever started this holds the other end of standard input. When that one ends, in whatever way, the server ends too.
# In FOLDER lie:
#   pid      the server's process id, while it runs
#   ready    made by whoever started this, once the server answered: from then on a server that ends is started again
#   failed   made when the server ended before it was ready
#   down     made by a test that wants the database away: while it is there, no server is started
#   log      what the server prints
cd "$1" || exit 1
signal=$2
shift 2

keep() {
    server=
    ending=
    trap 'ending=1; [ -z "$server" ] || kill -s "$signal" "$server" 2>/dev/null' TERM
    while [ -z "$ending" ]; do
        if [ -e down ]; then
            sleep 0.05
            continue
        fi
        "$@" </dev/null >>log 2>&1 &
        server=$!
        echo "$server" >pid.new && mv pid.new pid
        # The wish to end may have come before the server had a number.
        [ -z "$ending" ] || kill -s "$signal" "$server" 2>/dev/null
        # A signal ends a `wait`, not the server.
        while kill -0 "$server" 2>/dev/null; do
            wait "$server"
        done
        server=
        rm -f pid
        if [ ! -e ready ]; then
            : >failed
            return 1
        fi
        # Children of a server that was killed need a moment to notice.
        [ -n "$ending" ] || sleep 0.1
    done
}

trap '' HUP INT
keep "$@" &
keeper=$!
# Nobody writes here; the read ends when the other end is closed.
while read -r _; do :; done
kill -s TERM "$keeper" 2>/dev/null
tenths=0
while [ -e pid ] && [ "$tenths" -lt 100 ]; do
    sleep 0.1
    tenths=$((tenths + 1))
done
[ ! -e pid ] || kill -s KILL "$(cat pid)" 2>/dev/null
wait "$keeper"
rm -rf ./*
