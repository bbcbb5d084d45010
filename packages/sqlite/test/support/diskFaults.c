/* Loaded before libc (LD_PRELOAD): counts syncs, and fails syncs and positioned writes on demand.
 *
 * The file named by DISK_FAULTS is shared memory of three 32-bit words: syncs so far, the errno every sync fails with
 * from now on, the errno every positioned write fails with. Zero means: work as usual. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

struct control {
  _Atomic unsigned syncs;
  _Atomic int fail_sync;
  _Atomic int fail_write;
};

static struct control *control;

__attribute__((constructor)) static void attach(void) {
  const char *path = getenv("DISK_FAULTS");
  int file = path == NULL ? -1 : open(path, O_RDWR);
  if (file < 0) return;
  void *memory = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory != MAP_FAILED) control = memory;
  close(file);
}

static int sync_with(const char *name, int file) {
  if (control != NULL) {
    control->syncs++;
    if (control->fail_sync != 0) {
      errno = control->fail_sync;
      return -1;
    }
  }
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  return real(file);
}

int fsync(int file) { return sync_with("fsync", file); }
int fdatasync(int file) { return sync_with("fdatasync", file); }

static ssize_t write_with(const char *name, int file, const void *bytes, size_t count, off_t at) {
  if (control != NULL && control->fail_write != 0) {
    errno = control->fail_write;
    return -1;
  }
  ssize_t (*real)(int, const void *, size_t, off_t) = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, name);
  return real(file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) { return write_with("pwrite", file, bytes, count, at); }
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at) { return write_with("pwrite64", file, bytes, count, at); }
