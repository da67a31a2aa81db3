# A program that handles, ignores and leaves alone, as one writes it in bash.
trap 'echo a signal came; exit 0' INT TERM HUP
trap '' PIPE
echo waiting
sleep 1000 &
while :; do wait; done
