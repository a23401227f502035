# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/pam.sh - PAM for the programs of a root: its configuration, its modules, and what these start.

# make_pam: copies the configuration of PAM for the programs, the modules that it names, and
# the libraries and helpers of these. It adds the libraries to uses.
make_pam() {
  local services='other' name found libpam kind modules='' needed='' files='' uses_before
  step PAM
  for name in $names; do
    name=${name##*/}
    services="$services $name ${name%d} ${name#in.}"
    case $name in
    *ftpd) services="$services ftp" ;;
    esac
  done
  found=$(list_pam "$services")
  for libpam in $uses; do
    case $libpam in
    */libpam.so.*) break ;;
    esac
  done
  set --
  while read -r kind name; do
    case $kind in
    file) set -- "$@" "$name" ;;
    module) add_module "$name" "${libpam%/*}" ;;
    esac
  done <<END
$found
END
  copy_pam_settings
  copy_pam_files "$@"
  uses_before=$uses
  add_libraries
  uses=$uses_before$newline$uses
  printf '%s' "$modules$files" | sort -u | copy_missing
}

# list_pam SERVICES: prints a line for each file and each module in the configuration of
# these services, and of all files that it includes: "file PATH" or "module NAME". The
# files are the configuration itself and those that it names, as in file=/etc/ftpusers.
list_pam() {
  printf '%s\n' "$1" | awk '
    function scan(file,   line, word, n, i) {
      if (seen[file]++) return
      while ((getline line <("/etc/pam.d/" file)) > 0) {
        if (!used[file]++) print "file", "/etc/pam.d/" file
        if (line ~ /^[ \t]*#/) continue
        n = split(line, word)
        if (word[1] == "@include") scan(word[2])
        if (word[2] == "include" || word[2] == "substack") scan(word[3])
        for (i = 1; i <= n; i++) {
          if (word[i] ~ /\.so$/) print "module", word[i]
          else if (sub(/^\[?([A-Za-z_]+=)?\//, "/", word[i]) && sub(/\]?$/, "", word[i])) print "file", word[i]
        }
      }
      close("/etc/pam.d/" file)
    }
    { for (f = 1; f <= NF; f++) scan($f) }' | sort -u
}

# copy_pam_files FILE...: copies the files of PAM's configuration and those that it names,
# and says which of them not everybody may read. Files in which the host keeps its state
# are not configuration, and are left out.
copy_pam_files() {
  local file readable
  for file in "$@"; do
    shift
    case $file/ in
    */../* | /dev/* | /home/* | /proc/* | /root/* | /run/* | /sys/* | /tmp/* | /var/run/* | /var/tmp/*) continue ;;
    esac
    # pam_userdb appends the suffix itself.
    [ -e "$file" ] || file=$file.db
    if [ -f "$file" ] && [ ! -e "$root$file" ]; then
      set -- "$@" "$file"
    fi
  done
  [ $# -gt 0 ] || return 0
  readable=$newline$(everybodys "$@")$newline
  for file in "$@"; do
    case $readable in
    *"$newline$file$newline"*) printf '%s\n' "$file" ;;
    *) say_secret "$file" 'named in etc/pam.d' ;;
    esac
  done | copy_files
}

# copy_pam_settings: copies the configuration of PAM's modules.
copy_pam_settings() {
  copy_plain_etc environment security/limits.conf security/pam_env.conf security/access.conf \
    security/group.conf security/time.conf security/namespace.conf security/faillock.conf
  [ -f "$root/etc/environment" ] || return 0
  # The host's proxy, with its password, is often there too.
  sed -E '/^[[:space:]]*(export[[:space:]]+)?(PATH|LANG|LANGUAGE|LC_[A-Z]+)=/!d' \
    <"$root/etc/environment" >"$work/environment" || failed etc/environment
  cat -- "$work/environment" >"$root/etc/environment" || failed etc/environment
}

# add_module NAME DIRECTORY: adds a module of PAM to modules, and its libraries to needed. A
# name without a path is looked up next to libpam, in DIRECTORY. If the host lacks a module
# too, that does no more harm in the root than on the host.
add_module() {
  local path
  case $1 in
  /*) path=$(canonical "$1") ;;
  *) path=$2/security/$1 ;;
  esac
  [ -f "$path" ] || return 0
  modules=$modules$path$newline
  list_libraries "$path" || :
  case ${path##*/} in
  pam_unix.so) add_helper unix_chkpwd ;;
  pam_mkhomedir.so) add_helper mkhomedir_helper ;;
  pam_pwhistory.so) add_helper pwhistory_helper ;;
  esac
}

# add_helper NAME: adds a program that a module of PAM starts to modules, and its libraries
# to needed. Since PAM 1.7, pam_unix.so has unix_chkpwd check every password, and refuses
# all of them without it.
add_helper() {
  local path
  for path in "/usr/sbin/$1" "/sbin/$1"; do
    if [ -f "$path" ]; then
      path=$(canonical "$path")
      modules=$modules$path$newline
      list_libraries "$path" || :
      return
    fi
  done
  warn "$1: not on this host, although its PAM module may start it"
}
