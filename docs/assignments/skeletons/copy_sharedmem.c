/* copy-sharedmem: a sender and receivers that copy a file through shared memory.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o sharedmem copy_sharedmem.c  */

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s sender|receiver OPTIONS...\n", argv[0]);
        return 2;
    }
    printf("this is a: %s\n", argv[1]);

    /* Step 1: take the options apart: --receivers, --output, --name (strcmp). */
    /* Step 2: the sender makes the object and its semaphores (shm_open, ftruncate, mmap, sem_open or sem_init). */
    /* Step 3: a receiver opens them, and tries again for a while if they are not there (shm_open, mmap). */
    /* Step 4: lay the memory out: a header, a cursor for each receiver, a ring of slots. */
    /* Step 5: the sender waits for its receivers (sem_wait), then fills slots that all have read, one after the other. */
    /* Step 6: a receiver waits for a filled slot, writes it to its file, and moves its cursor on (sem_wait, write, sem_post). */
    /* Step 7: the end of the file needs a mark of its own: an empty file has no slot. */
    /* Step 8: nobody waits for ever: sem_timedwait, and then look whether the other is alive (kill with signal 0). */
    /* Step 9: at the end, unlink everything (shm_unlink, sem_unlink). */
    return 0;
}
