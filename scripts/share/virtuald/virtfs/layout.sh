# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/layout.sh - the directories and devices that every root has.

# find_owners: sets web_user, web_group, login_group and shadow_group to the users and
# groups that own directories and files in the root. The HOWTO's user and group for the web
# exist on few hosts.
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

# make_devices: makes the harmless devices, and the directory on which the pseudo-terminals
# of an isolated service are mounted.
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

# make_log: links the log socket. All domains share it, so this must be done after secure,
# which changes owners and modes. A mount is left for later, when the domain is in place,
# because a root with a mount in it could not be removed.
make_log() {
  if [ -S "$VIRTUAL/log" ] && ! is_journal; then
    link_log "$root" "$domain" || failed dev/log
  fi
}
