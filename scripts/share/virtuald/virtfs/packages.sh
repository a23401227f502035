# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/packages.sh - what dpkg knows that programs need: the configuration, helpers and directories of their
# packages. The packages of a program are the one that owns it and all others of the same source.

# What packages have in /etc for the machine, for other programs, or for keys; what virtfs makes by itself is here
# as well.
not_settings=' X11 alternatives apm apparmor apparmor.d apt bash_completion.d ca-certificates
  cron.d cron.daily cron.hourly cron.monthly cron.weekly cron.yearly dbus-1 default dpkg emacs grub.d init init.d
  initramfs-tools insserv.conf.d kernel ld.so.conf.d logcheck logrotate.d modprobe.d modules-load.d network opt
  pam.d polkit-1 ppp profile.d rc.local resolvconf rsyslog.d security skel ssl sudoers sudoers.d sysctl.conf
  sysctl.d systemd tmpfiles.d udev ufw update-motd.d xdg
  group gshadow hostname hosts mailname nsswitch.conf passwd resolv.conf shadow subgid subuid '

# What packages have below the directories of libraries that programs do without, or that virtfs takes by itself.
not_helpers=' bash locale perl perl-base perl5 security systemd terminfo tmpfiles.d udev '

# The lists of files of dpkg's packages, which say more quickly than dpkg-query -S who has what.
package_lists=/var/lib/dpkg/info

# find_packages: finds what dpkg knows of all programs in names and files, and sets
#   helpers   directories of modules and helper programs, a line for each
#   settings  what is in /etc for the programs: files and directories
#   places    "MODE OWNER:GROUP PATH" for each directory in /var and /run
# What the helpers need is added to needed, and what the rules bring to queue.
find_packages() {
  local packages own_names found
  helpers='' settings='' places=''
  if [ -d "$package_lists" ]; then
    packages=$(list_packages)
    if [ -n "$packages" ]; then
      own_names=$(list_own_names)
      found=$(list_files)
      choose_trees
      places=$(list_places)
    fi
  fi
  add_helpers
}

# both_names: prints each path that it reads, and the one that it had before /usr was merged, by which a package may
# know it.
both_names() {
  sed -n 's,^/usr\(/.*\),&\n\1,p; t; /^\//p'
}

# list_packages: prints "PACKAGE SOURCE" for the packages of the programs, but for essential ones, which must work
# before they are configured (Debian Policy, 3.8).
list_packages() {
  local owners
  owners=$(printf '%s' "$names$files" | both_names | "$grep" -lxFf - -- "$package_lists"/*.list |
    sed 's,.*/,,; s/\.list$//; s/:[a-z0-9]*$//') || :
  [ -n "$owners" ] || return 0
  owners="$owners" awk '
    BEGIN { n = split(ENVIRON["owners"], owner, "\n"); for (i = 1; i <= n; i++) is_owner[owner[i]] }
    function end_package() {
      if (is_installed && name != "") {
        of[name] = from == "" ? name : from
        if (name in is_owner && !is_essential) wanted[of[name]]
      }
      name = from = ""; is_installed = is_essential = 0
    }
    /^Package: / { end_package(); name = $2 }
    /^Source: / { from = $2 }
    /^Essential: yes/ { is_essential = 1 }
    /^Status: .* installed$/ { is_installed = 1 }
    END { end_package(); for (name in of) if (of[name] in wanted) print name, of[name] }' "${package_lists%/*}/status"
}

# list_files: prints the files of the packages.
list_files() {
  local name list
  printf '%s\n' "$packages" | while read -r name _; do
    for list in "$package_lists/$name.list" "$package_lists/$name":*.list; do
      [ ! -f "$list" ] || printf '%s\n' "$list"
    done
  done | tr '\n' '\0' | xargs -0 cat -- | sort -u
}

# list_own_names: prints the names by which a directory is the programs' own: theirs, and those of their packages.
list_own_names() {
  {
    printf '%s' "$names$files" | sed 's,.*/,,'
    printf '%s\n' "$packages" | tr ' ' '\n'
  } | sort -u
}

# choose_trees: sets helpers and settings to those of the found files that no package of another source
# shares, or that have a name of the programs'.
choose_trees() {
  local candidates path shared
  candidates=$(printf '%s\n' "$found" | awk -v not_settings="$not_settings" -v not_helpers="$not_helpers" '
    BEGIN {
      n = split(not_settings, name); for (i = 1; i <= n; i++) no_setting[name[i]]
      n = split(not_helpers, name); for (i = 1; i <= n; i++) no_helper[name[i]]
    }
    { gsub(/^\/lib\//, "/usr/lib/"); n = split($0, part, "/") }
    part[2] == "etc" && n >= 3 && !(part[3] in no_setting) { print "/etc/" part[3] }
    part[2] == "usr" && part[3] ~ /^lib(exec)?$/ && n >= 4 {
      if (part[4] ~ /-linux-/) { if (n >= 6 && !(part[5] in no_helper)) print "/usr/" part[3] "/" part[4] "/" part[5] }
      else if (n >= 5 && !(part[4] in no_helper)) print "/usr/" part[3] "/" part[4]
    }' | sort -u)
  [ -n "$candidates" ] || return 0
  shared=$newline$(list_shared)$newline
  while IFS= read -r path; do
    case $shared in
    *"$newline$path$newline"*) continue ;;
    esac
    case $path in
    /etc/*) settings=$settings$path$newline ;;
    *) [ ! -d "$path" ] || [ -L "$path" ] || helpers=$helpers$path$newline ;;
    esac
  done <<END
$candidates
END
}

# list_shared: prints those of the candidates that other packages have as well and that have no name of the programs'.
list_shared() {
  printf '%s\n' "$candidates" | both_names | "$grep" -xFf - -- "$package_lists"/*.list |
    packages="$packages" own_names="$own_names" awk '
      BEGIN {
        n = split(ENVIRON["packages"], line, "\n")
        for (i = 1; i <= n; i++) { split(line[i], word, " "); is_package[word[1]] }
        n = split(ENVIRON["own_names"], line, "\n")
        for (i = 1; i <= n; i++) is_own[line[i]]
      }
      {
        split($0, part, /\.list:/); path = part[2]; sub(/^\/lib\//, "/usr/lib/", path)
        owner = part[1]; sub(/.*\//, "", owner); sub(/:[a-z0-9]*$/, "", owner)
        name = path; sub(/.*\//, "", name)
        if (!(name in is_own) && !(owner in is_package)) print path
      }' | sort -u
}

# read_places: what awk does to print the places that files of tmpfiles.d and units of systemd name.
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

# list_places: prints the lines of places, what is above a place before it: what the packages have there, what has a
# name of the programs', and what is made when the host starts.
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
      # A queue has its directories in it, which the package makes when it is installed.
      /var/spool/*) find "$path" -mindepth 1 -maxdepth 1 -type d ! -name "*$newline*" ;;
      esac
    fi
  done | sort -u | tr '\n' '\0' | xargs -0 -r stat -c '%a %u:%g %n' -- |
    # In a queue those of people are named after them, or after what is theirs.
    sed -E '/^[0-9]+ [0-9]{4,}:[0-9]+ [/]var[/]spool[/][^/]+[/]/d' | no_persons
  printf '%s\n' "$found" | grep -E '^(/usr)?/lib/(tmpfiles[.]d/.*[.]conf|systemd/system/.*[.]service)$' |
    while IFS= read -r path; do
      [ ! -f "$path" ] || printf '%s\n' "$path"
    done | tr '\n' '\0' | xargs -0 -r awk "$read_places"
}

# no_persons: prints the lines of places that it reads, where what is a person's is root's.
no_persons() {
  sed -E 's/^([0-9]+) ([0-9]{4,}:[0-9]+|[0-9]+:[0-9]{4,}) /\1 0:0 /'
}

# add_helpers: adds what the helpers need to needed, and the programs that rules bring to queue.
add_helpers() {
  local path kind file asked=''
  while IFS= read -r path; do
    [ -n "$path" ] || continue
    while IFS= read -r file; do
      [ -z "$file" ] || list_libraries "$file" || :
    done <<END
$(find "$path" -type f -user root ! -perm -0020 ! -perm -0002 \( -name '*.so' -o -name '*.so.*' -o -perm -0100 \))
END
  done <<END
$helpers
END
  while read -r kind file; do
    [ "$kind" != program ] || ! file=$(find_program "$file" 2>/dev/null) || queue=$queue$file$newline
  done <<END
$(printf '%s' "$names$files$helpers" | while IFS= read -r path; do brought_by "$path"; done)
END
}

# make_packages: what find_packages has found, and what rules bring, in the root.
make_packages() {
  local path
  printf '%s' "$helpers" | while IFS= read -r path; do
    copy_tree "$path"
  done
  printf '%s' "$settings" | while IFS= read -r path; do
    copy_setting "$path"
  done
  make_places
  bring_all
}

# copy_setting PATH: copies a file or a directory of /etc, unless the root has one by that name.
copy_setting() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    copy_readable "$1"
  elif [ -f "$1" ]; then
    copy_plain_etc "${1#/etc/}"
    [ -e "$root$1" ] || warn "$1: not everybody may read it: left out"
  fi
}

# make_places: makes what is in places.
make_places() {
  local mode owner path
  printf '%s\n' "$places" | while read -r mode owner path; do
    [ -z "$path" ] || make_place "$mode" "$owner" "$path"
  done
}

# make_place MODE OWNER:GROUP PATH: makes an empty directory.
make_place() {
  [ ! -e "$root$3" ] && [ ! -L "$root$3" ] || return 0
  mkdir -p -- "$root$3"
  chown -- "$2" "$root$3" 2>/dev/null || :
  chmod -- "$1" "$root$3"
}
