// For programs built with AddressSanitizer that run in roots and namespaces of their own: its leak
// check needs the /proc of the process that it traces. The unit tests are checked for leaks.

extern "C" const char* __asan_default_options();

extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}
