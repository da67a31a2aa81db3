#!/bin/sh
# A message queue that goes wrong: `ipc queue` with one mistake around it.
#   queue.sh IPC MISTAKE COMMAND NAME...
ipc=$1 mistake=$2 command=$3 name=$4
shift 4

case $mistake-$command in
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
