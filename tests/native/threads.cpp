// Pieces of work of all sizes by pools of one to five threads; prints how often a part was not done exactly once.
#include <cstdio>

#include "threads.hpp"

int main() {
    long wrong = 0;
    for (int round = 0; round < 100; round++) {
        chainrule::Pool pool(1 + round % 5);
        for (int piece = 0; piece < 100; piece++) {
            std::vector<int> times(std::size_t(1 + (round * 7 + piece * 13) % 1000));
            pool.each(int64_t(times.size()), [&](int64_t part, int) { times[std::size_t(part)]++; }, piece % 2);
            for (int count : times) wrong += count != 1;
        }
    }
    std::printf("%ld\n", wrong);
}
