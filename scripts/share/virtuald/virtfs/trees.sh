# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/trees.sh - the directories of packages that programs need: helpers, and settings in /etc.

# Names in /etc that are for the machine or for other programs, that hold keys, or that virtfs makes itself.
not_settings=' X11 alternatives apm apparmor apparmor.d apt bash_completion.d ca-certificates
  cron.d cron.daily cron.hourly cron.monthly cron.weekly cron.yearly dbus-1 default dpkg emacs grub.d init init.d
  initramfs-tools insserv.conf.d kernel ld.so.conf.d logcheck logrotate.d modprobe.d modules-load.d network opt
  pam.d polkit-1 ppp profile.d rc.local resolvconf rsyslog.d security skel ssl sudoers sudoers.d sysctl.conf
  sysctl.d systemd tmpfiles.d udev ufw update-motd.d xdg
  group gshadow hostname hosts mailname nsswitch.conf passwd resolv.conf shadow subgid subuid '

# Directories below /usr/lib and /usr/libexec that programs do not need, or that virtfs copies in another way.
not_helpers=' bash locale perl perl-base perl5 security systemd terminfo tmpfiles.d udev '

# choose_trees: sets helpers and settings to the directories and files of the packages, from found, that no package of
# another source has, or that are named after one of the programs or packages.
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

# list_shared: prints the candidates that packages of other sources have too, except those in own_names.
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

# copy_setting PATH: copies a file or a directory of /etc, unless the root has it.
copy_setting() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    copy_readable "$1"
  elif [ -f "$1" ]; then
    copy_plain_etc "${1#/etc/}"
    [ -e "$root$1" ] || say_secret "$1"
  fi
}
