# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/scrub.sh - removes files from the copied /etc that must not leave the host.

# The files that people's shells read when they start. They are left out if they contain the
# host's name. Files that programs need are not, because a host may be called by a common
# word such as "auth" or "mail".
shell_files='profile bash.bashrc skel'

# scrub_etc: removes files from the copied /etc that must not leave the host: those with keys
# or passwords, backups, and shell_files that name the host.
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

# host_names: prints the names of the host that are not the domain's, one per line.
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
