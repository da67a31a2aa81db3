/* A message queue in C: an array and a robust mutex in one object. A process that waits looks again and again. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct message {
    long priority, number, length;
    char text[];
};

static struct queue {
    pthread_mutex_t lock;
    long max, size, count, next;
    char messages[];
} *queue;

static long max = 10, size = 8192, priority, count = 1, deadline;
static int non_blocking;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void end(int signal)
{
    (void)signal;
    _exit(0);
}

static struct message *at(long index)
{
    return (struct message *)(queue->messages + index * ((sizeof(struct message) + queue->size + 7) / 8 * 8));
}

static size_t whole(void)
{
    return sizeof *queue + max * (sizeof(struct message) + size + 8);
}

static void lock(void)
{
    if (pthread_mutex_lock(&queue->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&queue->lock);
}

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Locks the queue when it has room, or a message; what waits has no lock. */
static void lock_when(int has_room)
{
    for (;;) {
        lock();
        if (has_room ? queue->count < queue->max : queue->count > 0)
            return;
        pthread_mutex_unlock(&queue->lock);
        errno = non_blocking ? EAGAIN : ETIMEDOUT;
        if (non_blocking || (deadline && now() > deadline))
            fail("queue");
        usleep(2000);
    }
}

static void put(const char *text)
{
    size_t length = strlen(text);
    if ((long)length > queue->size) {
        errno = EMSGSIZE;
        fail("send");
    }
    lock_when(1);
    struct message *message = at(queue->count++);
    message->priority = priority;
    message->number = queue->next++;
    message->length = length;
    memcpy(message->text, text, length);
    pthread_mutex_unlock(&queue->lock);
}

static void take(void)
{
    lock_when(0);
    struct message *first = at(0);
    for (long i = 1; i < queue->count; i++)
        if (at(i)->priority > first->priority || (at(i)->priority == first->priority && at(i)->number < first->number))
            first = at(i);
    fwrite(first->text, 1, first->length, stdout);
    putchar('\n');
    struct message *last = at(--queue->count);
    if (last != first)
        memcpy(first, last, sizeof *last + last->length);
    pthread_mutex_unlock(&queue->lock);
    fflush(stdout);
}

/* Under its name it is whole from the beginning. */
static void create(const char *name)
{
    char part[640], path[600];
    snprintf(path, sizeof path, "/dev/shm%s", name);
    snprintf(part, sizeof part, "%s.%d", path, getpid());
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || ftruncate(fd, whole()) < 0)
        fail(part);
    queue = mmap(NULL, whole(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&queue->lock, &attributes);
    queue->max = max;
    queue->size = size;
    int linked = link(part, path), error = errno;
    unlink(part);
    errno = error;
    if (linked < 0)
        fail(path);
}

static void open_queue(const char *name)
{
    struct stat found;
    int fd = shm_open(name, O_RDWR, 0);
    if (fd < 0 || fstat(fd, &found) < 0)
        fail(name);
    queue = mmap(NULL, found.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

int main(int argc, char **argv)
{
    const char *text = NULL;
    if (argc < 3)
        return 2;
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--non-blocking") == 0)
            non_blocking = 1;
        else if (strcmp(argv[i], "--max-messages") == 0)
            max = atol(argv[++i]);
        else if (strcmp(argv[i], "--message-size") == 0)
            size = atol(argv[++i]);
        else if (strcmp(argv[i], "--priority") == 0)
            priority = atol(argv[++i]);
        else if (strcmp(argv[i], "--count") == 0)
            count = atol(argv[++i]);
        else if (strcmp(argv[i], "--timeout") == 0)
            deadline = now() + 1000 * atol(argv[++i]);
        else
            text = argv[i];
    }
    if (priority < 0 || priority > 32767) {
        errno = EINVAL;
        fail("--priority");
    }
    signal(SIGINT, end);
    if (strcmp(argv[1], "create") == 0)
        create(argv[2]);
    else if (strcmp(argv[1], "unlink") == 0) {
        if (shm_unlink(argv[2]) < 0)
            fail(argv[2]);
    } else {
        open_queue(argv[2]);
        if (strcmp(argv[1], "receive") == 0)
            while (count-- > 0)
                take();
        else if (text && strcmp(text, "-") == 0) {
            char line[10000];
            while (fgets(line, sizeof line, stdin)) {
                line[strcspn(line, "\n")] = 0;
                put(line);
            }
        } else
            put(text);
    }
    return 0;
}
