# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/layout.sh - the directories, devices and files of /etc that every root has.

# find_owners: sets web_user, web_group, login_group and shadow_group to the users and
# groups that own directories and files in the root. The web's are those of the HOWTO,
# which few hosts have.
find_owners() {
  web_user=$(known webmast passwd) || web_user=root
  web_group=$(known www group) || web_group=root
  login_group=$(known_group utmp)
  shadow_group=$(known_group shadow)
}

# known NAME FILE: prints the name if the host has it, else returns false.
known() {
  grep -q "^$1:" "/etc/$2" && printf '%s\n' "$1"
}

# known_group NAME: prints the name if the host has that group, else warns and prints root.
known_group() {
  known "$1" group || {
    warn "$1: no such group on this host: using root instead"
    printf 'root\n'
  }
}

make_layout() {
  local top directories='' in_usr=''
  cd -- "$root"
  for top in $tops; do
    case $merged in
    *" $top "*) in_usr="$in_usr usr/$top" ;;
    *) directories="$directories $top" ;;
    esac
  done
  # Names of directories.
  # shellcheck disable=SC2086
  mkdir -p -- dev etc/skel home proc run tmp usr/bin usr/lib/locale usr/lib/terminfo usr/sbin usr/share/zoneinfo \
    var/lib var/lock var/log var/mail var/spool var/www/html var/www/master var/www/server $directories $in_usr
  (
    cd home
    mkdir a b c d e f g h i j k l m n o p q r s t u v w x y z
  )
  # Links within the root are relative, so that following one from outside does not lead
  # to the host.
  # shellcheck disable=SC2086
  [ -z "$in_usr" ] || ln -s -- $in_usr .
  ln -s ../share/zoneinfo usr/lib/
  ln -s ../tmp ../var/spool usr/
  ln -s ../tmp ../run var/
  ln -s ../mail var/spool/
  ln -s ../var/lock run/
  mkdir -m 0700 root
  : >var/log/wtmp
  : >run/utmp
  # A mailer may have become the recipient before it creates the mailbox.
  chmod 1777 tmp var/lock var/mail
  chmod 0664 var/log/wtmp run/utmp
  give "root:$login_group" /var/log/wtmp /run/utmp
  give "$web_user:$web_group" /var/www/html /var/www/master /var/www/server
  chmod g+s var/www/html
  cd /
}

# make_devices: makes the harmless devices, and the directory where an isolated service
# mounts its own pseudo-terminals.
make_devices() {
  local name major minor
  cd -- "$root/dev"
  mkdir pts
  ln -s pts/ptmx ptmx
  umask 0
  while read -r name major minor; do
    if "$draft"; then
      : >"$name"
    else
      mknod "$name" c "$major" "$minor" || failed "dev/$name"
    fi
  done <<END
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
END
  umask 022
  cd /
}

# make_log: links the log socket. This comes after secure, which changes owners and modes,
# because all domains share the socket. A mount is left for later, when the domain is in
# place, because a root with a mount in it could not be removed.
make_log() {
  if [ -S "$VIRTUAL/log" ] && ! is_journal; then
    link_log "$root" "$domain" || failed dev/log
  fi
}

# make_accounts: makes passwd, group, shadow and gshadow with the system's accounts, all
# locked. People and their passwords stay on the host.
make_accounts() {
  etc=$root/etc awk -F: -v OFS=: '
    BEGIN { etc = ENVIRON["etc"] }
    function is_system(id) { return id < 1000 || id == 65534 }
    FILENAME == "/etc/passwd" && NF >= 7 && is_system($3 + 0) && $1 ~ /^[A-Za-z_]/ {
      account[$1] = 1
      print $1, "x", $3, $4, $1, $6, $7 >(etc "/passwd")
      print $1, "*", "", 0, 99999, 7, "", "", "" >(etc "/shadow")
    }
    FILENAME == "/etc/group" && NF >= 3 && is_system($3 + 0) && $1 ~ /^[A-Za-z_]/ {
      members = ""
      n = split($4, member, ",")
      for (i = 1; i <= n; i++)
        if (member[i] in account)
          members = members (members == "" ? "" : ",") member[i]
      print $1, "x", $3, members >(etc "/group")
      print $1, "*", "", members >(etc "/gshadow")
    }' /etc/passwd /etc/group || failed etc/passwd
  cd -- "$root/etc"
  give "root:$shadow_group" /etc/shadow /etc/gshadow
  chmod 0640 shadow gshadow
  cd /
}

# make_names: makes the files of etc with the domain's name, plain ones such as aliases, and
# localtime.
make_names() {
  local file
  cd -- "$root/etc"
  for file in $name_files; do
    name_file "$file" "$domain" >"$file"
  done
  printf '%s: files\n' passwd group shadow gshadow services protocols >nsswitch.conf
  printf 'hosts: files dns\n' >>nsswitch.conf
  printf 'postmaster: root\nMAILER-DAEMON: postmaster\n' >aliases
  [ -f /etc/shells ] || printf '/bin/sh\n' >shells
  cd /
  make_zone
}

# The files of etc that have the domain's name.
name_files='hostname mailname hosts'

# name_file FILE DOMAIN: prints the contents of one of them for a domain of that name, with
# the addresses in pairs. In hosts, the kernel's host name gets the domain's address too:
# some daemons exit if it has none, and sendmail waits if it is not a full name.
name_file() {
  local address names="$2"
  if [ "$1" != hosts ]; then
    printf '%s\n' "$2"
    return
  fi
  [ "$(uname -n)" = "$2" ] || names="$2 $(uname -n)"
  printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n'
  if [ -z "$pairs" ]; then
    printf '127.0.1.1\t%s\n' "$names"
  else
    printf '%s' "$pairs" | while read -r address _; do
      printf '%s\t%s\n' "$address" "$names"
    done | sort -u
  fi
}

# make_numbers: configures useradd, adduser and the like to assign the domain's numbers. If
# users of two domains, or of a domain and the host, had the same number, they would be
# one user to kill, ptrace and quotas. Without a limit of their own, new system accounts
# would get the numbers just below the users'.
make_numbers() {
  local first="${numbers%:*}" last="${numbers#*:}"
  set_values login.defs " " <<END
UID_MIN $first
UID_MAX $last
GID_MIN $first
GID_MAX $last
SYS_UID_MAX 999
SYS_GID_MAX 999
SUB_UID_COUNT 0
SUB_GID_COUNT 0
END
  [ ! -e "$root/etc/adduser.conf" ] || set_values adduser.conf = <<END
FIRST_UID $first
LAST_UID $last
FIRST_GID $first
LAST_GID $last
END
  : >"$root/etc/subuid"
  : >"$root/etc/subgid"
}

# set_values FILE SEPARATOR: sets names to values in a file of etc, and removes their old
# values. It reads them from standard input, "NAME VALUE" on each line.
set_values() {
  local file="$root/etc/$1"
  [ -e "$file" ] || : >"$file"
  awk -v separator="$2" '
    NR == FNR { value[$1] = $2; next }
    { name = $1; sub(/=.*/, "", name) }
    !(name in value)
    END { for (name in value) print name separator value[name] }' - "$file" >"$work/values" || failed "etc/$1"
  cat -- "$work/values" >"$file" || failed "etc/$1"
}

# make_zone: copies the time zone of the host, and the file that localtime leads to.
make_zone() {
  local zone
  [ -f /etc/localtime ] || return 0
  zone=$(readlink -f /etc/localtime)
  case $zone in
  /usr/share/zoneinfo/*)
    printf '%s\n' "$zone" | copy_files
    ln -sf -- "$zone" "$root/etc/localtime"
    ;;
  *) copy_plain_etc localtime ;;
  esac
}

# copy_plain_etc FILE...: copies those of these files of /etc that the host has and that
# everybody may read. A file that only some may read is a secret and stays on the host.
copy_plain_etc() {
  local file
  for file in "$@"; do
    shift
    if [ -f "/etc/$file" ] && [ ! -e "$root/etc/$file" ]; then
      set -- "$@" "/etc/$file"
    fi
  done
  [ $# -gt 0 ] || return 0
  everybodys "$@" | copy_files
}

# The files that people's shells read at their start. Programs do not need them, so only
# these are left out if they contain the host's name, which may be a word such as "auth"
# or "mail".
shell_files='profile bash.bashrc skel'

# scrub_etc: removes from the copied /etc what must not leave the host: keys, passwords,
# backups, and files that name the host.
scrub_etc() {
  local hashes
  cd -- "$root/etc"
  find . \( -name '*-' -o -name '*~' -o -name '*.key' -o -name '*.bak' -o -name '*.old' \
    -o -name '*.orig' -o -name '*.dpkg-*' -o -name '*.ucf-*' -o -name '*.swp' \
    -o -name '*.keytab' -o -name private \) -prune -exec rm -rf -- {} +
  hashes=$(awk -F: 'length($2) > 12 { print $2 }' /etc/shadow /etc/gshadow /etc/passwd 2>/dev/null) || :
  {
    printf 'PRIVATE KEY-----\n'
    [ -z "$hashes" ] || printf '%s\n' "$hashes"
  } | "$grep" -rlF -f - . | remove_named 'it holds a key or a password'
  "$grep" -rlE -e '://[^/:[:space:]]*:[^/@[:space:]]+@' . | remove_named 'it holds a key or a password'
  # shellcheck disable=SC2086 # a list of names
  host_names | "$grep" -rlwsF -f - $shell_files | remove_named 'it names this host'
  cd /
}

# host_names: prints the names of the host, one a line.
host_names() {
  local name
  {
    uname -n
    cat /etc/hostname /etc/mailname 2>/dev/null || :
  } | while IFS= read -r name; do
    printf '%s\n%s\n' "$name" "${name%%.*}"
  done | grep -vxF -e "$domain" -e "${domain%%.*}" -e localhost -e '' | sort -u
}

# remove_named REASON: removes the files named on standard input, and says so.
remove_named() {
  local file
  while IFS= read -r file; do
    rm -f -- "$file"
    warn "etc/${file#./}: $1: left out"
  done
}
