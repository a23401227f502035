# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/layout.sh - what every root has: directories, devices, and /etc.

# find_owners: sets web_user, web_group, login_group and shadow_group to the
# users and groups that directories are given to. Those of the web are the
# HOWTO's, which few hosts have.
find_owners() {
  web_user=$(known webmast passwd) || web_user=root
  web_group=$(known www group) || web_group=root
  login_group=$(known_group utmp)
  shadow_group=$(known_group shadow)
}

# known NAME FILE: prints the name, and is true, if the host has it.
known() {
  grep -q "^$1:" "/etc/$2" && printf '%s\n' "$1"
}

# known_group NAME: prints the name if the host has that group, else root, and
# says so.
known_group() {
  known "$1" group || {
    warn "$1: no such group on this host: root in its place"
    printf 'root\n'
  }
}

make_layout() {
  local top
  cd -- "$root"
  mkdir -p -- dev etc/skel home proc run tmp usr/bin usr/lib/locale usr/lib/terminfo usr/sbin usr/share/zoneinfo \
    var/lib var/lock var/log var/mail var/spool var/www/html var/www/master var/www/server
  for top in $tops; do
    case $merged in
    *" $top "*)
      mkdir -p -- "usr/$top"
      ln -s -- "usr/$top" "$top"
      ;;
    *) mkdir -p -- "$top" ;;
    esac
  done
  (
    cd home
    mkdir a b c d e f g h i j k l m n o p q r s t u v w x y z
  )
  # Links within the root are relative, so that nobody who follows one from
  # outside ends up on the host.
  ln -s ../share/zoneinfo usr/lib/zoneinfo
  ln -s ../tmp usr/tmp
  ln -s ../tmp var/tmp
  ln -s ../run var/run
  ln -s ../mail var/spool/mail
  ln -s ../var/spool usr/spool
  mkdir -m 0700 root
  : >var/log/wtmp
  : >run/utmp
  ln -s ../var/lock run/lock
  # Whoever delivers mail may have become its reader before making the box.
  chmod 1777 tmp var/lock var/mail
  chmod 0664 var/log/wtmp run/utmp
  give "root:$login_group" /var/log/wtmp /run/utmp
  give "$web_user:$web_group" /var/www/html /var/www/master /var/www/server
  chmod g+s var/www/html
  cd /
}

# make_devices: the harmless devices, and the place where an isolated service
# gets pseudo-terminals of its own mounted.
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

# make_log: after secure, since the socket is that of all domains, and secure
# changes owners and modes. A mount waits until the domain is in place, since what
# is mounted cannot be removed.
make_log() {
  if [ -S "$VIRTUAL/log" ] && ! is_journal; then
    link_log "$root" "$domain" || failed dev/log
  fi
}

# make_accounts: passwd, group, shadow and gshadow with the system's accounts,
# all locked; people and their passwords stay on the host.
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

# make_names: the files that say who this machine is, for the domain.
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

# name_file FILE DOMAIN: prints what one of them holds in a domain of that name, with the
# addresses in pairs. The name that the kernel has is one for the domain in hosts: some
# daemons end where it has no address, and sendmail waits where it is not a full name.
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

# make_numbers: has the programs that make users give them the domain's numbers:
# useradd and its like, and adduser. The numbers of two domains, or of a domain
# and the host, would make their users one to kill, ptrace and quotas. Without a
# limit of their own new system accounts get the numbers just before the users'.
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

# set_values FILE SEPARATOR: gives the names on standard input, each with its
# value, that value in a file of etc, and no other.
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

# make_zone: the time zone of the host, and the file that it leads to.
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

# copy_plain_etc FILE...: copies these of /etc, those that the host has and that
# everybody may read. What only some may read is a secret, and stays.
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

# What people's shells start with: the only files that a program does without,
# and so the only ones that go because they name the host. It may be called
# "auth" or "mail", as much else is.
shell_files='profile bash.bashrc skel'

# scrub_etc: removes what must not leave the host from the copied /etc: keys,
# passwords, backups, and what names the host.
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

# host_names: prints the names of the host, a line for each.
host_names() {
  local name
  {
    uname -n
    cat /etc/hostname /etc/mailname 2>/dev/null || :
  } | while IFS= read -r name; do
    printf '%s\n%s\n' "$name" "${name%%.*}"
  done | grep -vxF -e "$domain" -e "${domain%%.*}" -e localhost -e '' | sort -u
}

# remove_named REASON: removes the files on standard input, and says so.
remove_named() {
  local file
  while IFS= read -r file; do
    rm -f -- "$file"
    warn "etc/${file#./}: $1: left out"
  done
}
