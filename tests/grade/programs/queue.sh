#!/bin/sh
# A message queue that goes wrong: `ipc queue` with one mistake around it.
#   MISTAKE=... queue.sh IPC COMMAND NAME...
ipc=$1 command=$2 name=$3
shift 3

case $MISTAKE-$command in
reverses-priorities-send)
    [ "$2" = --priority ] && set -- "$1" --priority $((32767 - $3))
    ;;
cuts-priorities-send)
    [ "$2" = --priority ] && set -- "$1" --priority $(($3 % 32768))
    ;;
cuts-long-messages-send)
    "$ipc" queue send "$name" "$@" && exit
    [ "$2" ] && exit 1
    set -- "$(printf %.8s "$1")"
    [ ${#1} = 8 ] || exit 1
    ;;
makes-it-anew-create)
    "$ipc" queue unlink "$name" 2>/dev/null
    ;;
forgets-the-exit-code-send)
    [ "$2" = --non-blocking ] && { "$ipc" queue send "$name" "$@"; exit 0; }
    ;;
makes-what-is-not-there-send)
    "$ipc" queue create "$name" 2>/dev/null
    ;;
never-waits-for-room-send)
    [ "$1" = - ] || [ "$2" = --non-blocking ] || set -- "$@" --non-blocking
    ;;
takes-ctrl-c-for-a-failure-receive)
    trap 'interrupted=yes' INT
    "$ipc" queue receive "$name" "$@"
    code=$?
    [ "$interrupted" ] && exit 1
    exit $code
    ;;
unlinks-nothing-unlink)
    exit 0
    ;;
esac
exec "$ipc" queue "$command" "$name" "$@"
