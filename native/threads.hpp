// Threads that share the parts of a piece of work, for as long as the call of the engine lasts.
#pragma once

#include <atomic>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace chainrule {

// Every thread has its own stretch of the parts, the same in each piece of work, so that what it wrote is still in its
// cache; then it helps the others, unless the work is so small that looking for parts of theirs would take as long. So who
// does a part is left to chance, and no result may depend on it. The threads end with the pool: a process that forks
// between two calls has none to lose.
class Pool {
  public:
    explicit Pool(int threads) : next_(std::size_t(threads)) {
        try {
            for (int thread = 1; thread < threads; thread++) helpers_.emplace_back([this, thread] { help(thread); });
        } catch (const std::system_error&) {  // the system has no more of them: the others do the work
        }
        threads_ = helpers_.size() + 1;
    }
    ~Pool() {
        ending_ = true;
        announce();
        for (std::thread& helper : helpers_) helper.join();
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // work(part, thread) for every part from 0 to parts − 1; returns when all are done. Of small parts, threads keep to
    // their own.
    template <class Work> void each(int64_t parts, Work work, bool small = false) {
        if (helpers_.empty() || parts < 2) {
            for (int64_t part = 0; part < parts; part++) work(part, 0);
            return;
        }
        work_ = &work;
        call_ = [](void* what, int64_t part, int thread) { (*static_cast<Work*>(what))(part, thread); };
        parts_ = parts;
        stretches_ = small || parts <= int64_t(threads_) ? 1 : threads_;
        for (std::size_t k = 0; k < threads_; k++) next_[k].part.store(begin_of(k), std::memory_order_relaxed);
        busy_.store(int(helpers_.size()), std::memory_order_relaxed);
        announce();
        take_parts(0);
        for (int tries = 0; busy_.load(std::memory_order_acquire); tries++) wait_a_little(tries);
    }

  private:
    static constexpr int patience = 4000;  // looks, of some 10 ns each, before a thread lets others have its core

    static void wait_a_little(int tries) {
        if (tries > patience) return std::this_thread::yield();
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    void announce() {
        call_number_.fetch_add(1, std::memory_order_seq_cst);
        if (sleeping_.load(std::memory_order_seq_cst)) call_number_.notify_all();
    }
    int64_t begin_of(std::size_t stretch) const { return parts_ * int64_t(stretch) / int64_t(threads_); }
    void take_parts(int thread) {
        for (std::size_t k = 0; k < stretches_; k++) {
            const std::size_t stretch = (std::size_t(thread) + k) % threads_;
            const int64_t end = begin_of(stretch + 1);
            for (int64_t part; (part = next_[stretch].part.fetch_add(1, std::memory_order_relaxed)) < end;)
                call_(work_, part, thread);
        }
    }
    void help(int thread) {
        for (int seen = 0;;) {
            for (int tries = 0; call_number_.load(std::memory_order_acquire) == seen; tries++) {
                if (tries < patience) {
                    wait_a_little(tries);
                    continue;
                }
                sleeping_.fetch_add(1, std::memory_order_seq_cst);
                call_number_.wait(seen);
                sleeping_.fetch_sub(1, std::memory_order_seq_cst);
            }
            seen++;  // the next call is not made before this one is done
            if (ending_) return;
            take_parts(thread);
            busy_.fetch_sub(1, std::memory_order_release);
        }
    }

    struct alignas(64) Next {
        std::atomic<int64_t> part{0};
    };
    std::vector<Next> next_;  // of each thread's stretch
    std::size_t threads_ = 1;
    std::vector<std::thread> helpers_;
    void* work_ = nullptr;
    void (*call_)(void*, int64_t, int) = nullptr;
    int64_t parts_ = 0;
    std::size_t stretches_ = 1;  // that a thread takes parts of
    bool ending_ = false;
    alignas(64) std::atomic<int> call_number_{0};
    alignas(64) std::atomic<int> sleeping_{0};
    alignas(64) std::atomic<int> busy_{0};
};

}  // namespace chainrule
