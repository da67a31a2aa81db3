/* copy-socket-server: a server that sends a file to every client.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o server copy_server.c  */

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s FILE SOCKET\n", argv[0]);
        return 2;
    }
    printf("the file to send is: %s\n", argv[1]);

    /* Step 1: SIGINT and SIGTERM are to end the loop below (sigaction without SA_RESTART), SIGPIPE to do nothing. */
    /* Step 2: remove a socket file that a killed server left, then socket, bind, listen. */
    /* Step 3: wait for a client (accept), and give it a process or a thread. Here begins the loop. */
    /* Step 4: open the file (open), and ask for its length (fstat). */
    /* Step 5: send the header FILE <length> <name> (snprintf, basename, write). */
    /* Step 6: send the file, a buffer at a time, and all of each (read, write in a loop). */
    /* Step 7: close the file and the connection (close). */
    /* Step 8: at the end, end those who serve, wait for them, and remove the socket file (kill, waitpid, unlink). */
    return 0;
}
