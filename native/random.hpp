// Keyed random numbers, the bits of chainrule/randomness.py: Philox4x64-10 (Salmon et al. 2011).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

namespace chainrule {

enum class Purpose : uint64_t { shuffle = 2, dropout = 3 };

// The k-th block of four numbers of a key.
inline std::array<uint64_t, 4> philox(uint64_t seed, Purpose purpose, uint64_t layer, uint64_t batch, uint64_t epoch,
                                      uint64_t k) {
    std::array<uint64_t, 4> c = {k + 1, layer, batch, epoch};  // NumPy counts on before its first block
    uint64_t key[2] = {seed, uint64_t(purpose)};
    for (int round = 0; round < 10; round++) {
        const auto a = static_cast<unsigned __int128>(0xD2E7470EE14C6C93u) * c[0];
        const auto b = static_cast<unsigned __int128>(0xCA5A826395121157u) * c[2];
        c = {uint64_t(b >> 64) ^ c[1] ^ key[0], uint64_t(b), uint64_t(a >> 64) ^ c[3] ^ key[1], uint64_t(a)};
        key[0] += 0x9E3779B97F4A7C15u;
        key[1] += 0xBB67AE8584CAA73Bu;
    }
    return c;
}

// Puts the rows of a table in the order of their 64-bit draws: into buckets by the highest bits, then each bucket by
// insertion. A row stands there as the next bits of its draw and its number, in one word, so that its draw, which may
// be far away, is seldom looked at.
class Shuffle {
  public:
    explicit Shuffle(std::size_t rows) : draws_(rows) {
        while ((std::size_t(4) << bucket_bits_) < rows) bucket_bits_++;
        while ((std::size_t(1) << number_bits_) < rows) number_bits_++;
        if (rows) begins_.resize((std::size_t(1) << bucket_bits_) + 1);
    }

    // row_numbers[k], or k if `row_numbers` is null, moves to the place in `order` that row k has in the epoch.
    void operator()(const int64_t* row_numbers, std::vector<int64_t>& order, uint64_t seed, uint64_t epoch) {
        const uint64_t numbers = (uint64_t(1) << number_bits_) - 1;
        const auto bucket = [&](uint64_t draw) { return draw >> (64 - bucket_bits_); };
        std::fill(begins_.begin(), begins_.end(), 0);
        for (std::size_t r = 0; r < draws_.size(); r += 4) {
            const auto four = philox(seed, Purpose::shuffle, 0, 0, epoch, r / 4);
            for (std::size_t k = r; k < std::min(r + 4, draws_.size()); k++) {
                draws_[k] = four[k - r];
                begins_[bucket(draws_[k]) + 1]++;
            }
        }
        for (std::size_t b = 1; b < begins_.size(); b++) begins_[b] += begins_[b - 1];
        for (std::size_t r = 0; r < draws_.size(); r++)
            order[begins_[bucket(draws_[r])]++] = int64_t((draws_[r] << bucket_bits_ & ~numbers) | r);
        std::size_t begin = 0;  // begins_[b] has become the end of bucket b
        for (std::size_t b = 0; b + 1 < begins_.size(); begin = begins_[b++])
            for (std::size_t r = begin + 1; r < begins_[b]; r++) {
                const auto word = uint64_t(order[r]);
                std::size_t to = r;
                for (; to > begin && before(word, uint64_t(order[to - 1]), numbers); to--) order[to] = order[to - 1];
                order[to] = int64_t(word);
            }
        for (int64_t& word : order) {
            const auto row = int64_t(uint64_t(word) & numbers);
            word = row_numbers ? row_numbers[row] : row;
        }
    }

  private:
    // Of two rows of a bucket; equal draws keep their order.
    bool before(uint64_t a, uint64_t b, uint64_t numbers) const {
        if ((a & ~numbers) != (b & ~numbers)) return a < b;
        const uint64_t of_a = draws_[a & numbers], of_b = draws_[b & numbers];
        return of_a != of_b ? of_a < of_b : a < b;
    }

    std::vector<uint64_t> draws_;
    std::vector<std::size_t> begins_;
    int bucket_bits_ = 1, number_bits_ = 1;
};

// The order of rows that scikit-learn draws, engines/shuffling.py: each epoch's is the last one's, shuffled as NumPy's
// RandomState shuffles, by the Mersenne Twister (Matsumoto and Nishimura 1998).
struct Shuffling {
    std::array<uint32_t, 624> key{};
    int64_t position = 0;
    std::vector<int64_t> order, drawn;  // no order: there is nobody who decides it

    void operator()() {
        drawn.resize(order.size());
        std::iota(drawn.begin(), drawn.end(), 0);
        for (std::size_t r = order.size(); r-- > 1;) std::swap(drawn[r], drawn[std::size_t(at_most(r))]);
        for (int64_t& row : drawn) row = order[std::size_t(row)];
        order.swap(drawn);
    }

  private:
    // By rejection of numbers of as many bits.
    uint64_t at_most(uint64_t most) {
        uint64_t mask = most;
        for (int bits = 1; bits < 64; bits *= 2) mask |= mask >> bits;
        uint64_t value;
        do {
            value = next();
            if (most > 0xFFFFFFFFu) value = value << 32 | next();
            value &= mask;
        } while (value > most);
        return value;
    }
    uint32_t next() {
        if (position == 624) twist();
        uint32_t y = key[std::size_t(position++)];
        y ^= y >> 11;
        y ^= y << 7 & 0x9D2C5680u;
        y ^= y << 15 & 0xEFC60000u;
        return y ^ y >> 18;
    }
    void twist() {
        for (std::size_t k = 0; k < 624; k++) {
            const uint32_t y = (key[k] & 0x80000000u) | (key[(k + 1) % 624] & 0x7FFFFFFFu);
            key[k] = key[(k + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908B0DFu : 0);
        }
        position = 0;
    }
};

// For rows begin … begin + count − 1 of a batch, 1/(1 − rate) where a unit stays and 0 where it is dropped, units ×
// width: the number of row r and unit j is half (r · units + j) of the key's numbers, the lower half of each first.
template <class T>
void dropout(T* mask, int64_t begin, int64_t count, int64_t units, int64_t width, double rate, uint64_t seed,
             uint64_t epoch, uint64_t batch, uint64_t layer) {
    // NOLINTNEXTLINE(bugprone-incorrect-roundings): of numbers from 0 to 2³², to the nearest
    const auto least = uint64_t(rate * 4294967296.0 + 0.5);
    const T kept = T(1) / T(1.0 - rate);
    std::array<uint64_t, 4> four{};
    int64_t have = -1;
    for (int64_t r = 0; r < count; r++)
        for (int64_t j = 0; j < units; j++) {
            const int64_t place = (begin + r) * units + j;
            if (place / 8 != have) {
                have = place / 8;
                four = philox(seed, Purpose::dropout, layer, batch, epoch, uint64_t(have));
            }
            const uint64_t both = four[std::size_t(place % 8 / 2)];
            mask[j * width + r] = (place % 2 ? both >> 32 : both & 0xFFFFFFFFu) >= least ? kept : T(0);
        }
}

}  // namespace chainrule
