#include "gateway/bench/team.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

struct team *team_new(size_t n_members, size_t n_publishers)
{
    size_t head = sizeof(struct team) + n_members * sizeof(struct team_member);
    size_t bytes = head + n_members * n_publishers * sizeof(_Atomic uint64_t);
    struct team *team =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (team == MAP_FAILED) {
        fprintf(stderr, "load: mmap: %s\n", strerror(errno));
        return NULL;
    }
    team->n_members = n_members;
    team->n_publishers = n_publishers;
    team->bytes = bytes;
    team->complete = (_Atomic uint64_t *)(void *)((char *)team + head);
    for (size_t i = 0; i < n_members; i++)
        team->members[i].wake_fd = -1;
    for (size_t i = 0; i < n_members; i++) {
        team->members[i].wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (team->members[i].wake_fd == -1) {
            fprintf(stderr, "load: eventfd: %s\n", strerror(errno));
            team_free(team);
            return NULL;
        }
    }
    return team;
}

void team_free(struct team *team)
{
    if (team == NULL)
        return;
    for (size_t i = 0; i < team->n_members; i++) {
        if (team->members[i].wake_fd != -1)
            (void)close(team->members[i].wake_fd);
    }
    (void)munmap(team, team->bytes);
}

void team_wake(struct team *team, size_t member)
{
    const uint64_t one = 1;

    /* EAGAIN means that the counter is full: the member is woken anyway. */
    if (write(team->members[member].wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
        fprintf(stderr, "load: eventfd: %s\n", strerror(errno));
}

void team_enter(struct team *team, enum team_phase phase)
{
    atomic_store(&team->phase, phase);
    for (size_t i = 0; i < team->n_members; i++)
        team_wake(team, i);
}
