# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/places.sh - the directories that daemons have in /var and /run. The root gets them empty.

# read_places: an awk script that prints the directories named in files of tmpfiles.d and in units of systemd, as
# "MODE OWNER:GROUP PATH".
# shellcheck disable=SC2016 # a script
read_places='
  function place(mode, user, group, path) {
    sub(/^[~:]+/, "", mode)
    if (mode !~ /^[0-7]+$/) mode = "0755"
    if (user !~ /^[A-Za-z0-9_][A-Za-z0-9_-]*$/) user = "root"
    if (group !~ /^[A-Za-z0-9_][A-Za-z0-9_-]*$/) group = "root"
    sub(/^\/var\/run\//, "/run/", path)
    if (path ~ /^\/(run|var)\/[A-Za-z0-9_.\/+-]*$/ && path !~ /\.\./) print mode, user ":" group, path
  }
  function places(base, mode, names,   name, n, i) {
    n = split(names, name)
    for (i = 1; i <= n; i++) { sub(/:.*/, "", name[i]); place(mode, user, group, base name[i]) }
  }
  function end_unit(   kind) { for (kind in names) places(base[kind], mode[kind], names[kind]); delete names; delete mode; user = group = "" }
  BEGIN { base["Runtime"] = "/run/"; base["State"] = "/var/lib/"; base["Cache"] = "/var/cache/"; base["Logs"] = "/var/log/" }
  FNR == 1 { end_unit() }
  FILENAME ~ /tmpfiles/ { if ($1 ~ /^[dDvqQ][^A-Za-z]*$/) place($3, $4, $5, $2); next }
  { name = $0; sub(/=.*/, "", name); value = $0; sub(/^[^=]*=/, "", value) }
  name == "User" { user = value; if (group == "") group = value }
  name == "Group" { group = value }
  name ~ /^(Runtime|State|Cache|Logs)Directory$/ { sub(/Directory$/, "", name); names[name] = names[name] " " value }
  name ~ /^(Runtime|State|Cache|Logs)DirectoryMode$/ { sub(/DirectoryMode$/, "", name); mode[name] = value }
  END { end_unit() }'

# list_places: prints "MODE OWNER:GROUP PATH" for each directory of the packages, each directory named after a program
# or a package, and each that is made when the host starts. A directory is listed before those in it.
list_places() {
  local path
  {
    printf '%s\n' "$found" | grep -E '^/(var/(lib|log|spool|cache)|run)/[^/]' || :
    printf '%s\n' "$own_names" | grep -xE '[A-Za-z0-9_.+-]*' | grep -vxE '[.]{1,2}' |
      sed 's,.*,/var/lib/&\n/var/log/&\n/var/spool/&\n/var/cache/&\n/run/&,'
  } | sort -u | while IFS= read -r path; do
    if [ -d "$path" ] && [ ! -L "$path" ]; then
      printf '%s\n' "$path"
      case $path in
      # Installation makes directories in a queue that no package lists.
      /var/spool/*) find "$path" -mindepth 1 -maxdepth 1 -type d ! -name "*$newline*" ;;
      esac
    fi
  done | sort -u | tr '\n' '\0' | xargs -0 -r stat -c '%a %u:%g %n' -- |
    # A person's directory in a queue is named after that person.
    sed -E '/^[0-9]+ [0-9]{4,}:[0-9]+ [/]var[/]spool[/][^/]+[/]/d' | no_persons
  printf '%s\n' "$found" | grep -E '^(/usr)?/lib/(tmpfiles[.]d/.*[.]conf|systemd/system/.*[.]service)$' |
    while IFS= read -r path; do
      [ ! -f "$path" ] || printf '%s\n' "$path"
    done | tr '\n' '\0' | xargs -0 -r awk "$read_places"
}

# no_persons: prints the lines of places that it reads, with root as the owner in place of persons.
no_persons() {
  sed -E 's/^([0-9]+) ([0-9]{4,}:[0-9]+|[0-9]+:[0-9]{4,}) /\1 0:0 /'
}

# make_places: makes the directories in places.
make_places() {
  local mode owner path
  printf '%s\n' "$places" | while read -r mode owner path; do
    [ -z "$path" ] || make_place "$mode" "$owner" "$path"
  done
}

# make_place MODE OWNER:GROUP PATH: makes an empty directory, unless something is there.
make_place() {
  [ ! -e "$root$3" ] && [ ! -L "$root$3" ] || return 0
  mkdir -p -- "$root$3"
  give "$2" "$3" 2>/dev/null || :
  chmod -- "$1" "$root$3"
}

# Directories in var and run that only the host needs.
not_places='apt|dbus|dpkg|initramfs-tools|journal|lock|log|mount|pam|polkit-1|private|systemd|ucf|udev|udisks2|user'

# make_host_places: makes the directories that daemons have in /var and /run, and the homes of accounts there, empty.
make_host_places() {
  local found own_names places directory
  step 'the directories of daemons'
  awk -F: '$6 ~ /^\/(var|srv|run)\/./ { print $6 }' "$root/etc/passwd" | sort -u | while IFS= read -r directory; do
    make_home "$directory"
  done
  found=$(cat -- "$package_lists"/*.list 2>/dev/null |
    grep -E '^(/var/|/run/|(/usr)?/lib/(tmpfiles[.]d|systemd/system)/).' | sort -u) || :
  own_names=$(list_daemons)
  places=$(list_places | grep -vE "^[^/]*/(var/[a-z]*|run)/($not_places)(/|\$)") || :
  make_places
}

# list_daemons: prints names of accounts, of queues, and of directories that an account of the system owns. A directory
# with one of these names belongs to a daemon.
list_daemons() {
  {
    sed 's/:.*//' "$root/etc/passwd"
    find /var/spool /var/lib /var/log -mindepth 1 -maxdepth 1 -type d ! -name "*$newline*" \
      -exec stat -c '%u %n' -- {} + 2>/dev/null |
      awk '$1 < 1000 && ($1 != 0 || $2 ~ /^\/var\/spool\//) { print $2 }' | sed 's,.*/,,'
  } | sort -u
}
