/* sum-client: a client that sends integers and prints their sum.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o client sum_client.c  */

#include <stdio.h>

#define FRAME_LEN 128

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return 2;
    }
    printf("the server is to be at %s\n", argv[1]);

    /* Step 1: create a socket (socket), and connect it (struct sockaddr_un, connect). */
    /* Step 2: SIGINT is to end the loop below (sigaction without SA_RESTART), SIGPIPE to do nothing. */
    /* Step 3: wait for a line from the user, or for the server (poll with two descriptors). */
    /* Step 4: a line: is it a 32-bit integer (strtol, its end pointer, errno)? Send it (write). */
    /* Step 5: the end of input ends the program; a 0 ends the input. */
    /* Step 6: the server: receive until FRAME_LEN bytes are there (read), or the stream ends. */
    /* Step 7: print the answer, or say on stderr that the server has gone, with exit code 1. */
    return 0;
}
