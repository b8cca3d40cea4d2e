# The reaper of one folder and of the server in it; see reaper.go. POSIX sh:
# it has to run under dash, bash 3.2 and busybox.
#
#   sh -c "$(cat reaper.sh)" standin-reaper start PARENT NAME KEEP SIGNAL GRACE PROGRAM ARG...
#   sh -c "$(cat reaper.sh)" standin-reaper sweep PARENT NAME
#
# Named pipes in the folder are its senses, because the kernel closes a dead
# process's end of a pipe:
#   users   each user holds it open for writing; end of file: the last one left
#   life    the server and all that it starts hold it open, as descriptor 7;
#           end of file: every one of them has ended
#   events  what the keeper waits for while it stops the server
umask 077
LC_ALL=C
mode=$1 parent=$2 name=$3
dir=$parent/$name

# remove removes the folder, and the one above when it is empty.
remove() {
	cd / || exit 1
	rm -rf "$dir"
	rmdir "$parent" 2>/dev/null
}

# slaughter kills whatever holds the server's end of life: where there is /proc
# that is certain, elsewhere the folder's name in the command line has to do. The
# POSIX shared memory of a PostgreSQL that is killed, initdb's for one, is given
# back: it has a name, under which it would stay.
slaughter() {
	if [ -e /proc/self/fd ]; then
		for p in /proc/[0-9]*; do
			[ "$p/fd/7" -ef "$dir/life" ] || continue
			shared=$(sed -n 's|.* \(/dev/shm/PostgreSQL\.[0-9]*\)$|\1|p' "$p/maps" 2>/dev/null)
			kill -9 "${p#/proc/}" 2>/dev/null
			[ -z "$shared" ] || rm -f $shared
		done
	else
		ps -axo pid=,command= | while read -r pid command; do
			case $command in
			*standin-reaper*) ;;
			*"$name"*) kill -9 "$pid" 2>/dev/null ;;
			esac
		done
	fi
}

# scavenge gives back the System V memory that a killed PostgreSQL leaves. After
# a restart of the machine its number may be another's: where the system tells
# the keys, the memory has to have the server's.
scavenge() {
	[ -f "$dir/data/postmaster.pid" ] || return 0
	key='' id=''
	{ read -r _; read -r _; read -r _; read -r _; read -r _; read -r _; read -r key id; } <"$dir/data/postmaster.pid"
	[ -n "$id" ] || return 0
	if [ -r /proc/sysvipc/shm ]; then
		found=''
		while read -r k i _; do
			[ "$i" = "$id" ] || continue
			[ "$k" -ge 0 ] || k=$((k + 4294967296)) # it is shown with a sign
			[ "$k" != "$key" ] || found=yes
		done </proc/sysvipc/shm
		[ -n "$found" ] || return 0
	fi
	ipcrm -m "$id" 2>/dev/null
}

if [ "$mode" = sweep ]; then
	slaughter
	scavenge
	remove
	exit 0
fi

keep=$4 signal=$5 grace=$6
shift 6

# retire takes the name away, so that nobody joins any more.
retire() {
	mv users retired 2>/dev/null
	retired=yes sleeper=''
}

# watch is there for the users. It ends when nobody is left and nobody can come.
watch() {
	retired='' waited='' sleeper=''
	while :; do
		if read -r line <&4; then
			case $line in
			start) echo start ;;
			joined) waited='' ;;
			ended) # the server, by itself: the users may still read its log
				[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null
				retire
				;;
			esac
		elif [ -n "$retired" ]; then
			return
		elif [ ! -p users ]; then
			retired=yes # a user found the server dead, and took the name away
		elif [ "$keep" != 0 ] && [ -z "$waited" ]; then
			# The sleeper is the user of last resort; end of file: time is up.
			exec 5>users
			sleep "$keep" >&5 5>&- 4<&- &
			sleeper=$! waited=yes
			exec 5>&-
		else
			retire # and look again: somebody may have come just before
		fi
	done
}

# keeper is the parent of the server. Between its start and the signal it uses
# builtins only, so the process is not waited for and its number not used again.
# A pipe that it passes on it opens first, both ways, for a process may be killed
# before it has opened anything.
keeper() {
	exec 4<&- # here, for a redirection of the whole leaves a copy open
	if ! read -r _; then
		remove
		return
	fi
	exec 6<>events 7<>life 9<life
	"$@" </dev/null >>log 2>&1 6>&- 9<&- &
	server=$!
	exec 7>&-
	{
		while read -r _; do :; done <&9
		echo ended >&6
		[ ! -p users ] || echo ended 1<>users
	} &
	exec 9<&-
	read -r _
	kill -s "$signal" "$server" 2>/dev/null
	exec 8<>alarm 9<alarm
	sleep "$grace" >&8 6>&- 8>&- 9<&- &
	sleeper=$!
	exec 8>&-
	{
		read -r _ <&9
		echo late >&6
	} &
	exec 9<&-
	read -r event <&6
	if [ "$event" = late ]; then
		slaughter
		while [ "$event" != ended ]; do read -r event <&6; done
	else
		kill "$sleeper" 2>/dev/null
	fi
	scavenge
	remove
}

# The folder above goes with the last one in it, which may be right now.
for attempt in 1 2 3 4 5 6 7 8 9; do
	mkdir "$parent" 2>/dev/null
	mkdir "$dir" 2>/dev/null && break
done
if ! { { [ -d "$dir" ] || mkdir "$dir"; } && cd "$dir" && mkfifo users life events alarm && exec 3<>users; }; then
	remove
	exit 1
fi
trap '' PIPE # whoever started this may be dead already
echo made
if ! read -r _; then # the starter died before it was a user
	remove
	exit 1
fi
trap - PIPE
exec 4<users 3>&- </dev/null >/dev/null 2>&1
watch | keeper "$@" &
