# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/programs.sh - a root with only the programs that are asked for.

make_programs() {
  local path target
  step 'programs and libraries'
  printf '%s' "$files" | sort | copy_files
  printf '%s' "$links" | while read -r path target; do
    mkdir -p -- "$root${path%/*}"
    # Another program may have brought a library of this name.
    [ -e "$root$path" ] || ln -s -- "$target" "$root$path"
  done
  make_name_service
  case $uses in
  */libpam.so.*) make_pam ;;
  esac
  case $uses in
  */libtinfo* | */libncurses* | */libcurses*) make_terminfo ;;
  esac
  case $names in
  */perl"$newline"*) make_perl ;;
  esac
  case $names in
  */python3*) make_python ;;
  esac
  make_homes
  make_packages
  make_cache
}

# make_name_service: copies the C library's own name services, which versions before 2.34
# load at run time.
make_name_service() {
  local libc library
  for libc in $uses; do
    case $libc in
    */libc.so.6)
      for library in files dns; do
        library=${libc%/*}/libnss_$library.so.2
        if [ -f "$library" ]; then
          printf '%s\n' "$library"
        fi
      done | copy_files
      ;;
    esac
  done
}

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
# these services and all that it includes: "file PATH" or "module NAME". The files are the
# configuration itself and those that it names, as in file=/etc/ftpusers.
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
# are not configuration.
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
    *) warn "$file: named in etc/pam.d, and not everybody may read it: left out" ;;
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
# name without a path is looked up next to libpam, in DIRECTORY. A module that the host
# lacks too does no more harm in the root than on the host.
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
  warn "$1: not on this host, and its PAM module may start it"
}

# make_terminfo: copies the entries of the usual terminals, and of this one.
make_terminfo() {
  local directory terminal own=''
  case ${TERM:-dumb} in
  *[!A-Za-z0-9._+-]*) ;;
  *) own=$(printf '%.1s' "${TERM:-dumb}")/${TERM:-dumb} ;;
  esac
  for directory in /etc/terminfo /usr/lib/terminfo /lib/terminfo /usr/share/terminfo; do
    for terminal in a/ansi d/dumb l/linux r/rxvt s/screen s/screen-256color t/tmux \
      t/tmux-256color v/vt100 v/vt102 v/vt220 x/xterm x/xterm-256color x/xterm-color ${own:+"$own"}; do
      if [ -f "$directory/$terminal" ]; then
        canonical "$directory/$terminal"
      fi
    done
  done | sort -u | copy_files
}

# make_perl: copies the library of perl, except for the site's own in /usr/local.
make_perl() {
  local directory path
  step 'the library of perl'
  perl -e 'print "$_\n" for @INC' | while IFS= read -r directory; do
    case $directory in
    /usr/local/* | /etc/* | .) continue ;;
    /*) ;;
    *) continue ;;
    esac
    if [ -d "$directory" ]; then
      path=$(canonical "$directory")
      copy_tree "$(readlink -f -- "$path")"
      [ ! -L "$path" ] || ln -sf -- "$(readlink -- "$path")" "$root$path"
    fi
  done
}

# make_homes: makes the home of each account that has the name of a program.
make_homes() {
  local directory
  printf '%s' "$names" | awk -F: '
    NR == FNR { sub(/.*\//, ""); program[$0]; next }
    $1 in program && $6 ~ /^\/var\// { print $6 }' - "$root/etc/passwd" | while IFS= read -r directory; do
    make_home "$directory"
  done
}

# make_home DIRECTORY: makes an empty directory with the owner and mode that it has on the
# host.
make_home() {
  local places
  [ -d "$1" ] || return 0
  places=$(stat -Lc '%a %u:%g %n' -- "$1" | no_persons)
  make_places
}

# make_cache: makes the loader's cache if a library is in a directory that the loader does
# not search by itself.
make_cache() {
  local libc library
  for libc in $uses; do
    case $libc in
    */libc.so.*) break ;;
    esac
  done
  for library in $uses; do
    case ${library%/*} in
    /lib | /usr/lib | /lib64 | /usr/lib64 | "${libc%/*}") ;;
    *)
      write_cache
      return
      ;;
    esac
  done
}

write_cache() {
  local file
  command -v ldconfig >/dev/null || return 0
  copy_plain_etc ld.so.conf
  for file in /etc/ld.so.conf.d/*.conf; do
    [ ! -f "$file" ] || copy_plain_etc "ld.so.conf.d/${file##*/}"
  done
  if "$draft"; then
    : >"$root/etc/ld.so.cache"
  else
    # The links to libraries were copied from the host.
    ldconfig -X -r "$root" 2>/dev/null || warn "$root: ldconfig failed there"
  fi
  # ldconfig's own cache there would differ in each root.
  rm -rf -- "$root/var/cache/ldconfig"
}
