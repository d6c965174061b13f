// Compares the kernels of one instruction set with native/reference.hpp on random shapes, and prints for each kernel how
// many comparisons failed.
#include "reference.hpp"

#include <cstdio>
#include <random>

#include "kernels.cpp"
#include "passes.hpp"

using namespace chainrule;
using reference::Numbers;
namespace fast = chainrule::CHAINRULE_ISA;

static std::mt19937_64 generator(1);

static int64_t between(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(generator);
}
template <class T> static std::vector<T> normal(int64_t count, double scale = 1) {
    std::normal_distribution<double> distribution(0, scale);
    std::vector<T> numbers(static_cast<std::size_t>(count) +
                           64 / sizeof(T));  // whole vectors may reach beyond the last
    for (T& number : numbers) number = T(distribution(generator));
    return numbers;
}
template <class T> static Numbers doubles(const std::vector<T>& numbers) { return {numbers.begin(), numbers.end()}; }

// Whether the first `count` numbers agree, but for rounding. Numbers of size 1 that cancel leave a rounding error.
template <class T> static bool agree(const T* found, const Numbers& expected, int64_t count, double tolerance) {
    double size = 1e-4;
    for (int64_t k = 0; k < count; k++) size = std::max(size, std::abs(expected[std::size_t(k)]));
    for (int64_t k = 0; k < count; k++)
        if (!(std::abs(double(found[k]) - expected[std::size_t(k)]) <= tolerance * size)) return false;
    return true;
}
template <class T> static constexpr double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-11;

template <class T> static int wrong_products() {
    int wrong = 0;
    for (int k = 0; k < 300; k++) {
        const int64_t rows = between(1, 40), inner = between(1, 400), columns = between(1, 4) * fast::lanes<T>;
        const auto a = normal<T>(rows * inner), b = normal<T>(inner * columns);
        std::vector<T> c(std::size_t(rows * columns));
        Numbers expected(c.size());
        fast::multiply<T>({rows, columns, inner, a.data(), inner, 1, b.data(), columns, c.data(), columns});
        reference::multiply(rows, columns, inner, doubles(a).data(), doubles(b).data(), expected.data());
        wrong += !agree(c.data(), expected, rows * columns, tolerance<T>);
    }
    return wrong;
}

template <class T> static int wrong_activations(const Kernels<T>& kernels) {
    int wrong = 0;
    for (std::size_t name = 0; name < std::size(NamesOf<ActivationName>::names); name++) {
        if (ActivationName(name) == ActivationName::softmax) continue;
        const int64_t count = 40 * kernels.lanes;
        std::vector<T> f = normal<T>(count, 3), slopes(f.size());
        const Numbers z = doubles(f);
        kernels.activate(ActivationName(name), T(0.25), f.data(), slopes.data(), count);
        Numbers expected(z.size()), expected_slopes(z.size());
        for (std::size_t k = 0; k < z.size(); k++) {
            expected[k] = reference::activation(ActivationName(name), z[k], 0.25);
            expected_slopes[k] = reference::derivative(ActivationName(name), z[k], 0.25);
        }
        wrong += !agree(f.data(), expected, count, tolerance<T>);
        wrong += !agree(slopes.data(), expected_slopes, count, tolerance<T>);
    }
    return wrong;
}

template <class T> static int wrong_functions(const Kernels<T>& kernels) {
    const int64_t count = 100 * kernels.lanes;
    const auto wrong = [&](FunctionName name, const std::vector<T>& x, double (*function)(double)) {
        std::vector<T> result(x.size());
        Numbers expected;
        kernels.function(name, x.data(), result.data(), count);
        for (const T number : x) expected.push_back(function(double(number)));
        return !agree(result.data(), expected, count, sizeof(T) == 4 ? 1e-6 : 1e-14);
    };
    std::vector<T> x = normal<T>(count, 2), positive = x;
    for (T& number : positive) number = std::abs(number) + T(1e-3);
    return wrong(FunctionName::exp, x, std::exp) + wrong(FunctionName::expm1, x, std::expm1) +
           wrong(FunctionName::log, positive, std::log) + wrong(FunctionName::tanh_of_one, x, std::tanh);
}

template <class T> static int wrong_softmaxes() {
    int wrong = 0;
    for (int k = 0; k < 100; k++) {
        const int64_t units = between(1, 60), width = between(1, 2) * fast::lanes<T>;
        std::vector<T> f = normal<T>(units * width, 5);
        const Numbers z = doubles(f);
        fast::softmax<T>(f.data(), units, width);
        for (int64_t lane = 0; lane < width; lane++) {
            Numbers row, found;
            for (int64_t j = 0; j < units; j++) row.push_back(z[std::size_t(j * width + lane)]);
            for (int64_t j = 0; j < units; j++) found.push_back(double(f[std::size_t(j * width + lane)]));
            reference::softmax(row.data(), units);
            wrong += !agree(found.data(), row, units, tolerance<T>);
        }
    }
    return wrong;
}

// A network of random widths, whose last activation suits the loss.
struct Case {
    Description description;
    Settings settings{};
    int64_t rows, parameters = 0;
    explicit Case(int k) : rows(between(1, k % 20 == 0 || k % 25 == 1 ? 400 : 90)) {
        static constexpr ActivationName hidden[] = {ActivationName::tanh, ActivationName::relu, ActivationName::gelu,
                                                    ActivationName::softsign};
        settings.loss = LossName(between(0, std::size(NamesOf<LossName>::names) - 1));
        ActivationName last = between(0, 1) ? ActivationName::softmax : ActivationName::sin;
        if (settings.loss == LossName::cross_entropy) last = ActivationName::softmax;
        if (settings.loss == LossName::binary_cross_entropy) last = ActivationName::logistic;
        if (settings.loss == LossName::poisson) last = ActivationName::exponential;
        settings.loss_parameter = 0.3;
        const auto width = [&] {
            return k % 4 == 0 ? between(1, 16) : k % 25 == 1 ? between(150, 220) : between(1, 70);
        };
        const int64_t depth = between(1, 4);
        description.widths.push_back(width());
        for (int64_t i = 0; i < depth; i++) {
            const ActivationName name = i + 1 < depth ? hidden[between(0, 3)] : last;
            description.widths.push_back(width());
            description.activations.push_back({name_of(name), 0.0});
            description.biases.push_back(between(0, 3) > 0);
            const std::size_t layer = description.widths.size() - 1;
            parameters += (description.widths[layer - 1] + description.biases.back()) * description.widths[layer];
        }
        settings.divisor = double(description.widths.back());
        settings.dropout.assign(description.activations.size(), 0.0);
        settings.batch_size = rows;
    }
};

template <class T> static int wrong_predictions(const Kernels<T>& kernels) {
    int wrong = 0;
    for (int k = 0; k < 100; k++) {
        const Case c(k);
        const int64_t inputs = c.description.widths.front(), outputs = c.description.widths.back();
        Network<T> net(c.description, kernels.lanes);
        const auto theta = normal<T>(c.parameters, 0.2), x = normal<T>(c.rows * inputs);
        std::copy_n(theta.data(), c.parameters, net.theta.get());
        std::vector<T> result(std::size_t(c.rows * outputs));
        std::vector<T> scratch(std::size_t(4 * kernels.panel_rows * (net.widest + 1)) + 64);
        kernels.predict(net.layers.data(), int64_t(net.layers.size()), x.data(), c.rows, result.data(), scratch.data());
        const Numbers weights = doubles(theta), rows = doubles(x);
        reference::Row row(c.description, c.settings, weights.data());
        for (int64_t r = 0; r < c.rows; r++)
            wrong += !agree(result.data() + r * outputs, row.forward(rows.data() + r * inputs), outputs, tolerance<T>);
    }
    return wrong;
}

// Loss and gradient of a batch on the path that its plan chooses; with columns of zeros in some cases.
template <class T> static int wrong_gradients(const Kernels<T>& kernels, std::vector<int>& paths) {
    int wrong = 0;
    for (int k = 0; k < 200; k++) {
        const Case c(k);
        const int64_t inputs = c.description.widths.front(), outputs = c.description.widths.back();
        Network<T> net(c.description, kernels.lanes);
        const auto theta = normal<T>(c.parameters, 0.1);
        std::copy_n(theta.data(), c.parameters, net.theta.get());
        auto x = normal<T>(c.rows * inputs), y = normal<T>(c.rows * outputs), shares = normal<T>(c.rows);
        for (T& number : y) number = T(0.1) + T(0.8) * number * number / (1 + number * number);
        for (T& share : shares) share = std::abs(share);
        for (int64_t r = 0; k % 3 == 0 && r < c.rows; r++)
            for (int64_t j = 0; j < inputs; j++)
                if (j % 5) x[std::size_t(r * inputs + j)] = 0;
        const Plan plan = Plan::of(net, c.settings, kernels, c.rows, 0, 1);
        paths[std::size_t(plan.path)]++;
        const Data<T> data{x.data(), y.data(), shares.data(), nullptr, c.rows};
        const auto order = data.row_numbers();
        const double weight = data.weight_of(order.data(), c.rows);
        Passes<T> passes(net, c.settings, plan, kernels);
        Pool pool(1);
        Interruption none([] { return false; });
        const double loss = passes(pool, Rows<T>{data, order.data(), c.rows, c.rows, weight}, none, true);
        for (std::size_t g = 1; g < passes.groups.size(); g++)
            kernels.add(passes.groups[0].gradient.get(), passes.groups[g].gradient.get(), net.padded);

        Numbers expected(std::size_t(c.parameters), 0.0);
        const Numbers weights = doubles(theta), rows = doubles(x), targets = doubles(y);
        reference::Row row(c.description, c.settings, weights.data());
        double expected_loss = 0;
        for (int64_t r = 0; r < c.rows; r++) {
            const double share = double(shares[std::size_t(r)]) / weight;
            row.forward(rows.data() + r * inputs);
            expected_loss += share * row.back(targets.data() + r * outputs, share, expected);
        }
        wrong += !agree(&loss, {expected_loss}, 1, tolerance<T>);
        wrong += !agree(passes.groups[0].gradient.get(), expected, c.parameters, 10 * tolerance<T>);
    }
    return wrong;
}

template <class T> static void compare(const char* dtype, const Kernels<T>& kernels) {
    std::vector<int> paths(std::size(NamesOf<Path>::names));
    std::printf("%s products: %d\n", dtype, wrong_products<T>());
    std::printf("%s functions: %d\n", dtype, wrong_functions(kernels));
    std::printf("%s activations: %d\n", dtype, wrong_activations(kernels));
    std::printf("%s softmax: %d\n", dtype, wrong_softmaxes<T>());
    std::printf("%s predictions: %d\n", dtype, wrong_predictions(kernels));
    std::printf("%s gradients: %d\n", dtype, wrong_gradients(kernels, paths));
    for (const Path path : {Path::narrow, Path::panels, Path::layers})
        if (!paths[std::size_t(path)]) std::printf("%s: no case takes the path %s\n", dtype, name_of(path));
}

int main() {
    compare("float32", fast::of_float());
    compare("float64", fast::of_double());
}
