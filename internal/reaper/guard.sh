# The guard of a folder and of what a test starts in it; see guard.go. POSIX sh.
#
#   sh -c "$(cat guard.sh)" standin-guard PARENT NAME MARK DESCRIPTOR
#
# It reads what to do, line by line: sweep, which it answers with "swept", and
# done. The end of what it reads is the end of the process that started it.
umask 077
LC_ALL=C
dir=$1/$2 mark=$3 descriptor=$4

# hunt prints the processes that have the mark in their environment, or hold the
# pipe: a process that changes one of both seldom changes the other.
hunt() {
	if [ -e /proc/self/fd ]; then
		for p in /proc/[0-9]*; do
			[ "$p/fd/$descriptor" -ef "$dir/life" ] && echo "${p#/proc/}"
		done
		grep -l -s -F "$mark" /proc/[0-9]*/environ | while IFS=/ read -r _ _ p _; do echo "$p"; done
	else
		ps -axEww -o pid=,command= | grep -F "$mark" | while read -r p command; do
			case $command in *standin-guard* | grep*) ;; *) echo "$p" ;; esac
		done
	fi
}

# slaughter kills until there is nobody: what forks meanwhile is seen the next
# time.
slaughter() {
	while prey=$(hunt) && [ -n "$prey" ]; do
		for p in $prey; do kill -9 "$p" 2>/dev/null; done
		seen=yes
	done
}

if ! { mkdir "$dir" && mkfifo "$dir/life"; }; then
	exit 1
fi
trap '' PIPE
echo made
done=''
while read -r line; do
	case $line in
	sweep)
		slaughter
		echo swept
		;;
	done) done=yes ;;
	esac
done
# Of a process that was killed a child may be on its way still, before it has its
# mark.
calm=0
while [ -z "$done" ] && [ $calm -lt 3 ]; do
	seen=''
	slaughter
	calm=$((calm + 1))
	[ -z "$seen" ] || calm=0
	sleep 0.2
done
slaughter
cd /
rm -rf "$dir"
