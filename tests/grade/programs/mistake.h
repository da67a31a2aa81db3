/* One program in C, right or with a mistake: the environment variable MISTAKE names the one to make. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool mistake(const char *name)
{
    const char *told = getenv("MISTAKE");
    return told && strcmp(told, name) == 0;
}
