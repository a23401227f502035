# shellcheck shell=sh disable=SC2154
# virtfs/problems.sh - what virtfs -s finds wrong with a domain.
#
# It relies on the variables of read_record. Each function returns false if it finds a
# problem.

# complain MESSAGE: warns of a problem of the domain.
complain() {
  warn "$place: $1"
}

# complain_of FILE MESSAGE: warns of each path that the file lists, but lists no more than
# ten. False if there are any.
complain_of() {
  local path count=0
  while IFS= read -r path; do
    count=$((count + 1))
    # The domain's file names may hold escape sequences for terminals.
    [ "$count" -gt 10 ] || warn "$place/$(one_line "$path"): $2"
  done <"$1"
  [ "$count" -le 10 ] || complain "$((count - 10)) more: $2"
  [ "$count" -eq 0 ]
}

# find_mounts: lists the mounts below the domain.
find_mounts() {
  mounts_below | sed "s,^$(printf '%s' "$place" | sed 's/[].[*^$\\]/\\&/g')/*,," >"$work/found"
  complain_of "$work/found" 'mounted there'
}

# find_strangers: lists set-ID programs and devices that are not in the plan, and system
# directories that users other than root may write to.
find_strangers() {
  local fine=true
  [ -f "$plan" ] && awk "$path_of { print path_of() }" "$plan" | sort >"$work/known" || : >"$work/known"
  (
    cd -P -- "$place"
    "$find" . -xdev \( -type f \( -perm -4000 -o -perm -2000 \) -o -type b -o -type c ! -path ./dev/null ! -path ./dev/zero \
      ! -path ./dev/full ! -path ./dev/random ! -path ./dev/urandom ! -path ./dev/tty \) 2>/dev/null
    # One of these names may be that of another device.
    hold dev && stat -c '%F %t:%T dev/%n' null zero full random urandom tty 2>/dev/null | sed -nE '
      / (1:3 dev.null|1:5 dev.zero|1:7 dev.full|1:8 dev.random|1:9 dev.urandom|5:0 dev.tty)$/!s/^char[^:]* [^ ]* //p'
  ) | sed 's,^\./,,' | sort | comm -23 - "$work/known" >"$work/found"
  complain_of "$work/found" 'set-user-ID, set-group-ID or a device, and not installed by virtfs' || fine=false
  (
    cd -P -- "$place"
    # The names of directories, of which the host may lack some.
    # shellcheck disable=SC2086
    "$find" . $system_directories etc dev -xdev -maxdepth 1 -type d \
      \( ! -user root -o -perm -0020 -o -perm -0002 \) 2>/dev/null
  ) | sed 's,^\./,,' | grep -E "^(\.|$(printf '%s' "$system_directories" | tr ' ' '|')|usr/bin|usr/sbin|usr/lib|etc|dev)$" | sort -u >"$work/found" || :
  complain_of "$work/found" 'writable by users other than root' || fine=false
  "$fine"
}

# find_dead_log: reports a log socket that the logger no longer listens on, because it was
# restarted.
find_dead_log() {
  if [ -S "${VIRTUAL%/}/log" ] && (check_dev "$place") 2>/dev/null && [ -e "$place/dev/log" ] && ! is_linked "$place"; then
    complain 'dev/log is not the socket of the logger: syslog.init reload'
    return 1
  fi
}

# find_tampered: lists the files that -u replaces and that differ from what virtfs
# installed.
find_tampered() {
  list_root "$place" "$most_levels" | compare "$plan" /dev/null || return
  complain_of "$work/changed" 'changed since virtfs installed it'
}

# find_old: lists the files that differ from the host's current ones.
find_old() {
  make_fresh || return
  compare "$making/plan" "$plan" <"$plan" || return
  cut -d ' ' -f 3- -- "$work/etc" >>"$work/changed"
  complain_of "$work/changed" "differs from the host's: run virtfs -u"
}

# find_missing_roots: lists the lines of configurations in the leading directory that name a
# missing directory.
find_missing_roots() {
  local config number line fine=true
  for config in "${VIRTUAL%/}"/conf*; do
    [ -f "$config" ] || continue
    awk '{ sub(/\r$/, "") } $1 !~ /^#/ && NF >= 2 { print NR, $2 }' "$config" >"$work/found"
    while read -r number line; do
      [ -d "$line" ] || { warn "$config:$number: $line: no such directory" && fine=false; }
    done <"$work/found"
  done
  "$fine"
}
