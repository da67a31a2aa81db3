/* A sender and receivers in C that copy a file through a ring in shared memory. */

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 16
#define SLOT (256 << 10)
#define MAX 64

static struct shared {
    atomic_int ready, joined;
    pid_t sender;
    off_t length;
    atomic_long sent; /* slots */
    sem_t room;
    struct {
        atomic_int pid; /* 0 before it has joined */
        atomic_long read;
        sem_t filled;
    } receivers[MAX];
    char slots[SLOTS][SLOT];
} *shared;

static char object[256], part[4096];
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    interrupted = signal;
}

static void finish(int code, const char *why)
{
    if (*part)
        unlink(part);
    if (*object)
        shm_unlink(object);
    if (why && !interrupted)
        fprintf(stderr, "%s\n", why);
    exit(interrupted ? 0 : code);
}

/* Waits a moment at most, and then it is for the caller to look who is alive. */
static void wait_for(sem_t *semaphore)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 50000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    sem_timedwait(semaphore, &until);
    if (interrupted)
        finish(0, NULL);
}

static int lives(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

static void map(int fd)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        finish(1, "mmap failed");
}

static void send_file(const char *path, int count)
{
    int file = open(path, O_RDONLY), fd = shm_open(object, O_RDWR | O_CREAT | O_EXCL, 0600);
    struct stat found;
    if (file < 0 || fd < 0 || fstat(file, &found) < 0 || ftruncate(fd, sizeof *shared) < 0)
        finish(1, "cannot open the file or the object");
    map(fd);
    shared->sender = getpid();
    shared->length = found.st_size;
    sem_init(&shared->room, 1, 0);
    for (int i = 0; i < MAX; i++)
        sem_init(&shared->receivers[i].filled, 1, 0);
    shared->ready = 1;
    for (int i = 0; i < count;)
        if (shared->receivers[i].pid)
            i++;
        else
            wait_for(&shared->room);
    long total = (found.st_size + SLOT - 1) / SLOT;
    for (long slot = 0; slot < total + SLOTS; slot++) {
        for (int i = 0; i < count;)
            if (shared->receivers[i].read + SLOTS > slot || shared->receivers[i].read == total || !lives(shared->receivers[i].pid))
                i++;
            else
                wait_for(&shared->room);
        if (slot >= total)
            continue;
        for (ssize_t have = 0, more = 1; have < SLOT && more > 0; have += more)
            more = read(file, shared->slots[slot % SLOTS] + have, SLOT - have);
        shared->sent = slot + 1;
        for (int i = 0; i < count; i++)
            sem_post(&shared->receivers[i].filled);
    }
    finish(0, NULL);
}

static void receive(const char *directory)
{
    snprintf(part, sizeof part, "%s/.part", directory);
    int file = open(part, O_WRONLY | O_CREAT | O_EXCL, 0600), fd = -1;
    if (file < 0)
        finish(1, "cannot write there");
    struct stat found = {0};
    for (int tries = 0; tries < 2500 && (size_t)found.st_size < sizeof *shared && !interrupted; tries++) {
        if (fd < 0)
            fd = shm_open(object, O_RDWR, 0);
        if (fd >= 0)
            fstat(fd, &found);
        usleep(2000);
    }
    if (fd < 0)
        finish(1, "there is no sender");
    map(fd);
    while (!shared->ready && !interrupted)
        usleep(1000);
    int own = atomic_fetch_add(&shared->joined, 1);
    shared->receivers[own].pid = getpid();
    sem_post(&shared->room);
    long total = (shared->length + SLOT - 1) / SLOT;
    for (long slot = 0; slot < total; slot++) {
        while (shared->sent <= slot) {
            wait_for(&shared->receivers[own].filled);
            if (shared->sent <= slot && !lives(shared->sender))
                finish(1, "the sender has gone");
        }
        long rest = shared->length - slot * SLOT, want = rest < SLOT ? rest : SLOT;
        if (write(file, shared->slots[slot % SLOTS], want) != want)
            finish(1, "cannot write the file");
        shared->receivers[own].read = slot + 1;
        sem_post(&shared->room);
    }
    char target[4096];
    snprintf(target, sizeof target, "%s/file", directory);
    *object = 0; /* it is the sender's to unlink */
    if (rename(part, target) < 0)
        finish(1, "cannot rename the file");
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    if (argc == 7 && strcmp(argv[1], "sender") == 0) {
        snprintf(object, sizeof object, "/%s", argv[6]);
        send_file(argv[2], atoi(argv[4]));
    } else if (argc == 6) {
        snprintf(object, sizeof object, "/%s", argv[5]);
        receive(argv[3]);
    }
    return 0;
}
