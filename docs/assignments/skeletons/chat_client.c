/* chat-client: a client that sends what its user types, and shows what the server says.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o client chat_client.c  */

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s SOCKET NAME\n", argv[0]);
        return 2;
    }
    printf("the server is to be at: %s\n", argv[1]);

    /* Step 1: create a socket (socket), and connect it (struct sockaddr_un, connect). */
    /* Step 2: send HELLO <name> <pid> (snprintf, getpid, write). */
    /* Step 3: SIGINT is to end the loop below (sigaction without SA_RESTART), SIGPIPE to do nothing. */
    /* Step 4: wait for the user or for the server (poll with two descriptors). */
    /* Step 5: the user: read from descriptor 0, send all of it (write in a loop); 0 bytes are the end. */
    /* Step 6: the server: receive (read), and show each line as server: <text> (iscntrl, fflush). */
    /* Step 7: the end of the server's stream: say so on stderr, and return 1. */
    return 0;
}
