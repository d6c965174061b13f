// Threads that share the parts of a piece of work, for as long as the call of the engine lasts.
#pragma once

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

namespace chainrule {

// A system may begin a thread on the core of the one that made it, where it waits for milliseconds. So it is sent to
// begin on another, and may then run on any.
class Cores {
#if defined(__linux__)
  public:
    Cores() {
        sched_getaffinity(0, sizeof all_, &all_);
        others_ = all_;
        CPU_CLR(std::size_t(std::max(sched_getcpu(), 0)), &others_);
    }
    void send_away(std::thread& thread) const {
        if (CPU_COUNT(&others_)) pthread_setaffinity_np(thread.native_handle(), sizeof others_, &others_);
    }
    void let_run_anywhere() const { sched_setaffinity(0, sizeof all_, &all_); }

  private:
    cpu_set_t all_{}, others_{};
#else
  public:
    void send_away(std::thread&) const {}
    void let_run_anywhere() const {}
#endif
};

// Every thread has its own stretch of the parts, the same in each piece of work, so that what it wrote is still in its
// cache; then it helps the others. A piece of work ends when its parts are done, whichever thread did them, so a
// thread that the system does not schedule is not waited for. Which thread does a part is left to chance, and no result
// may depend on it. The destructor does not join the helpers: one may not have started yet. They own the shared data
// jointly.
// A process that forks between two calls has none to lose.
class Pool {
  public:
    explicit Pool(int threads) : shared_(std::make_shared<Shared>(threads)) {
        try {
            const Cores cores;
            for (int thread = 1; thread < threads; thread++) {
                std::thread helper([shared = shared_, thread, cores] {
                    for (int tries = 0; !shared->placed.load(std::memory_order_acquire); tries++) wait_a_little(tries);
                    cores.let_run_anywhere();
                    shared->help(thread);
                });
                cores.send_away(helper);
                helper.detach();
                helpers_++;
            }
            // NOLINTNEXTLINE(bugprone-empty-catch): fewer threads do the same work
        } catch (const std::system_error&) {  // the system has no more of them: the others do the work
        }
        shared_->placed.store(true, std::memory_order_release);
    }
    ~Pool() {
        shared_->ending = true;
        shared_->announce();
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    static constexpr int64_t most_parts = (1 << 21) - 1;

    // work(part, thread) for every part from 0 to parts − 1; returns when all are done. Of small parts, this thread
    // leaves the others theirs for as long as looking for them would take.
    template <class Work> void each(int64_t parts, Work work, bool small = false) {
        if (!helpers_ || parts < 2) {
            for (int64_t part = 0; part < parts; part++) work(part, 0);
            return;
        }
        Shared& shared = *shared_;
        shared.work = &work;
        shared.call = [](void* what, int64_t part, int thread) { (*static_cast<Work*>(what))(part, thread); };
        shared.done.store(0, std::memory_order_relaxed);
        const uint64_t call = shared.call_number.load(std::memory_order_relaxed) + 1;
        const auto count = int64_t(shared.stretches.size());
        for (int64_t k = 0; k < count; k++)
            shared.stretches[std::size_t(k)].state.store(
                State{call, parts * k / count, parts * (k + 1) / count}.packed(), std::memory_order_release);
        shared.announce();
        shared.take_parts(0, 0, call);
        const auto all_done = [&] { return shared.done.load(std::memory_order_acquire) == parts; };
        for (int tries = 0; small && tries < 64 && !all_done(); tries++) wait_a_little(tries);
        for (std::size_t k = 1; k < shared.stretches.size() && !all_done(); k++) shared.take_parts(k, 0, call);
        for (int tries = 0; !all_done(); tries++) wait_a_little(tries);
    }

  private:
    static constexpr int patience = 4000;  // looks, of some 10 ns each, before a thread lets others have its core

    // What is left of a stretch, in one number, so that a thread that comes too late cannot take a part of other work.
    struct State {
        uint64_t call;  // of each(), modulo 2²²
        int64_t next, end;
        uint64_t packed() const { return call << 42 | uint64_t(next) << 21 | uint64_t(end); }
        static State of(uint64_t packed) {
            return {packed >> 42, int64_t(packed >> 21 & uint64_t(most_parts)), int64_t(packed & uint64_t(most_parts))};
        }
    };
    struct alignas(64) Stretch {
        std::atomic<uint64_t> state{0};
    };

    static void wait_a_little(int tries) {
        if (tries > patience) return std::this_thread::yield();
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }

    struct Shared {
        explicit Shared(int threads) : stretches(std::size_t(threads)) {}

        void announce() {
            call_number.fetch_add(1, std::memory_order_seq_cst);
            if (sleeping.load(std::memory_order_seq_cst)) call_number.notify_all();
        }
        void take_parts(std::size_t stretch, int thread, uint64_t number) {
            std::atomic<uint64_t>& state = stretches[stretch].state;
            int64_t taken = 0;
            for (uint64_t now = state.load(std::memory_order_acquire);;) {
                State left = State::of(now);
                if (left.call != (number & (uint64_t(-1) >> 42)) || left.next == left.end) break;
                const int64_t part = left.next++;
                if (!state.compare_exchange_weak(now, left.packed(), std::memory_order_acquire)) continue;
                call(work, part, thread);
                taken++;
                now = state.load(std::memory_order_acquire);
            }
            if (taken) done.fetch_add(taken, std::memory_order_release);
        }
        void help(int thread) {
            for (uint64_t seen = 0;;) {
                for (int tries = 0; call_number.load(std::memory_order_acquire) == seen; tries++) {
                    if (tries < patience) {
                        wait_a_little(tries);
                        continue;
                    }
                    sleeping.fetch_add(1, std::memory_order_seq_cst);
                    call_number.wait(seen);
                    sleeping.fetch_sub(1, std::memory_order_seq_cst);
                }
                seen = call_number.load(std::memory_order_acquire);
                if (ending) return;
                for (std::size_t k = 0; k < stretches.size(); k++)
                    take_parts((std::size_t(thread) + k) % stretches.size(), thread, seen);
            }
        }

        std::vector<Stretch> stretches;  // of each thread
        void* work = nullptr;
        void (*call)(void*, int64_t, int) = nullptr;
        std::atomic<bool> placed{false}, ending{false};
        alignas(64) std::atomic<uint64_t> call_number{0};
        alignas(64) std::atomic<int> sleeping{0};
        alignas(64) std::atomic<int64_t> done{0};
    };
    const std::shared_ptr<Shared> shared_;
    int helpers_ = 0;
};

// A request to end long work: the thread that made this calls `ask` about twenty times a second.
class Interruption {
  public:
    explicit Interruption(std::function<bool()> ask) : ask_(std::move(ask)) {}
    bool happened() const { return happened_.load(std::memory_order_relaxed); }
    bool look() {
        const auto now = std::chrono::steady_clock::now();
        if (std::this_thread::get_id() == asker_ && now - last_ > std::chrono::milliseconds(50)) {
            last_ = now;
            if (ask_()) happened_.store(true, std::memory_order_relaxed);
        }
        return happened();
    }

  private:
    const std::function<bool()> ask_;
    const std::thread::id asker_ = std::this_thread::get_id();
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
    std::atomic<bool> happened_{false};
};

}  // namespace chainrule
