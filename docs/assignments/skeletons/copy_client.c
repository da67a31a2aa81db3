/* copy-socket-client: a client that receives a file, and leaves a whole one or none.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o client copy_client.c  */

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s SOCKET DIRECTORY\n", argv[0]);
        return 2;
    }
    printf("the server is to be at: %s\n", argv[1]);

    /* Step 1: create a socket (socket), and connect it (struct sockaddr_un, connect). */
    /* Step 2: SIGINT is to end the program (sigaction without SA_RESTART). */
    /* Step 3: receive the header to its line end (read), and take it apart (strtoull, its end pointer, errno). */
    /* Step 4: of the name, take the last component (strrchr), and neither . nor .. */
    /* Step 5: make a file of another name in the directory (open with O_CREAT and O_EXCL). */
    /* Step 6: receive exactly length bytes, and write them (read, write). */
    /* Step 7: all there? Give it its name without overwriting anything (link, unlink). */
    /* Step 8: otherwise remove it (unlink), say why on stderr, and return 1. */
    return 0;
}
