#!/bin/sh
# A sender and receivers that go wrong: `ipc copy sharedmem` with one mistake around it.
#   MISTAKE=... copy_sharedmem.sh IPC sender FILE --receivers N --name NAME
#   MISTAKE=... copy_sharedmem.sh IPC receiver --output DIR --name NAME
ipc=$1 role=$2
shift 2
trap 'interrupted=yes' INT TERM # so that there is somebody who makes the mistake

case $MISTAKE-$role in
refuses-empty-files-sender)
    [ -s "$1" ] || exit 1
    ;;
puts-it-all-in-memory-sender)
    object=/dev/shm/$5-all
    [ "$3" != 1 ] || truncate -s "$(stat -c %s "$1")" "$object"
    ;;
esac

"$ipc" copy sharedmem "$role" "$@" 2>/dev/null # what it says depends on who comes first
code=$?

case $MISTAKE-$role in
puts-it-all-in-memory-sender)
    rm -f "$object"
    ;;
forgets-to-unlink-sender)
    [ "$interrupted" ] || : >"/dev/shm/$5-left"
    ;;
leaves-it-to-the-sender-receiver)
    [ $code = 0 ] || : >"/dev/shm/$4-left"
    ;;
keeps-what-it-has-receiver)
    [ $code = 0 ] || : >"$2/file"
    ;;
esac
exit $code
