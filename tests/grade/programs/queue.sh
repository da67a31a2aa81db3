#!/bin/sh
# A message queue that goes wrong: `ipc queue` with one mistake around it.
#   MISTAKE=... queue.sh IPC COMMAND NAME...
ipc=$1 command=$2 name=$3
shift 3

case $MISTAKE-$command in
reverses-priorities-send)
    [ "$2" = --priority ] && set -- "$1" --priority $((32767 - $3))
    ;;
cuts-long-messages-send)
    "$ipc" queue send "$name" "$@" && exit
    set -- "$(printf %.8s "$1")"
    [ ${#1} = 8 ] || exit 1
    ;;
makes-it-anew-create)
    "$ipc" queue unlink "$name" 2>/dev/null
    ;;
forgets-the-exit-code-send)
    [ "$2" = --non-blocking ] && { "$ipc" queue send "$name" "$@"; exit 0; }
    ;;
unlinks-nothing-unlink)
    exit 0
    ;;
esac
exec "$ipc" queue "$command" "$name" "$@"
