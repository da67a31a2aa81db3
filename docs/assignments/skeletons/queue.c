/* queue: a message queue with priorities, kept until it is unlinked.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o queue queue.c  */

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s COMMAND NAME...\n", argv[0]);
        return 2;
    }
    printf("the command is: %s\n", argv[1]);

    /* Step 1: take the words apart: create, send, receive, unlink, the name, and the options (strcmp). */
    /* Step 2: create: make the object, and fail if there is one (shm_open with O_EXCL, ftruncate, mmap). */
    /* Step 3: lay the memory out: a lock (PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_ROBUST), a count, the messages. */
    /* Step 4: send: take the lock, wait for room (pthread_cond_timedwait), put the message in with its priority and a number. */
    /* Step 5: receive: take the lock, wait for a message, take out the highest priority and of these the lowest number. */
    /* Step 6: errors: a word on stderr and exit code 1 for EAGAIN, ETIMEDOUT, EMSGSIZE, ENOENT, EEXIST. */
    /* Step 7: SIGINT ends a receiver that waits (sigaction). */
    /* Step 8: unlink: remove all of it (shm_unlink). */
    return 0;
}
