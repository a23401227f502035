# shellcheck shell=sh disable=SC2154
# virtfs/in_use.sh - processes and mounts in a domain, which keep it from being removed or
# renamed.
#
# It relies on place, the directory of the domain.

# residents: prints "PID (NAME)" for each process whose root or working directory is the
# domain or below it. The root of an isolated process is called "/", so inodes are
# compared instead of names, from that directory upwards.
residents() {
  local itself top found entry pid name
  itself=$(stat -L -c %d:%i -- "$place") || return 0
  top=$(stat -L -c %d:%i /)
  inodes_of /proc/[0-9]*/root /proc/[0-9]*/cwd |
    while read -r found entry; do
      if [ "$found" != "$top" ] && is_inside "$found" "$entry" "$itself"; then
        pid=${entry#/proc/}
        printf '%s\n' "${pid%/*}"
      fi
    done | sort -un | while read -r pid; do
    name=''
    { read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
    printf '%s (%s)\n' "$pid" "$(printf '%s' "$name" | tr -cd ' -~')"
  done
}

# is_inside FOUND ENTRY DIRECTORY: true if the directory ENTRY is DIRECTORY or below it. FOUND
# and DIRECTORY are given as device and inode.
is_inside() {
  local found="$1" path="$2" above
  while [ "$found" != "$3" ]; do
    path=$path/..
    above=$(stat -L -c %d:%i -- "$path" 2>/dev/null) || return 1
    [ "$above" != "$found" ] || return 1
    found=$above
  done
}

# mounts_below: prints the mount points in the domain, its directory included, except for the
# log socket of syslog.init. The kernel escapes the names with backslashes, which awk would
# interpret in variables set by -v.
mounts_below() {
  place=$place logs=$(journal_mounts) awk '
    BEGIN { place = ENVIRON["place"]; logs = ENVIRON["logs"]; is_log[place "/dev/log"] = index("\n" logs "\n", "\n" place "/dev/log\n") }
    ($5 == place || index($5, place "/") == 1) && !is_log[$5] { print $5 }' /proc/self/mountinfo
}

# need_empty ADVICE: dies if a process runs in the domain or something is mounted there; the
# message ends with the advice.
need_empty() {
  local found
  found=$(mounts_below)
  [ -z "$found" ] || die "$place: mounted below it: $(one_line "${found%%"$newline"*}"): unmount that first$1"
  found=$(residents)
  [ -z "$found" ] ||
    die "$place: in use by process $(printf '%s\n' "$found" | sed '$!s/$/,/' | tr '\n' ' ' | sed 's/ $//'): end it first$1"
}
