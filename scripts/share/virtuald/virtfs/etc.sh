# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/etc.sh - the files of /etc that every root has.

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

# make_names: makes the files of etc that contain the domain's name, plain ones such as
# aliases, and localtime.
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

# The files of etc that contain the domain's name.
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
# one user to kill, ptrace and quotas. Without SYS_UID_MAX, new system accounts would get
# the numbers just below the users'.
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

# make_zone: copies the time zone of the host: localtime, and the file that it leads to.
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

# copy_plain_etc FILE...: copies these files of /etc, if the host has them and everybody may
# read them. A file that only some may read is a secret and stays on the host.
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
