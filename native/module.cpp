// The Python module chainrule.engines._native: prediction and training by the kernels of one instruction set.
#include "arrays.hpp"
#include "instruction_sets.hpp"
#include "predictor.hpp"
#include "settings.hpp"
#include "trainer.hpp"

namespace chainrule {

template <class T> NumPy<T> function(const std::string& name, const Vector<T>& x, const std::string& isa) {
    const Kernels<T>& kernels = kernels_of<T>(isa);
    const std::size_t n = x.shape(0), whole = (n + std::size_t(kernels.lanes) - 1) / kernels.lanes * kernels.lanes;
    Buffer<T> padded = zeros<T>(whole), result = zeros<T>(whole);
    std::copy_n(x.data(), n, padded.get());
    kernels.function(named<FunctionName>(name), padded.get(), result.get(), int64_t(whole));
    return as_numpy<T>(std::move(result), {n});
}

// f(z) and f′(z) as a run computes them.
template <class T>
std::pair<NumPy<T>, NumPy<T>> activation(const std::string& name, double parameter, const Vector<T>& z,
                                         const std::string& isa) {
    const Kernels<T>& kernels = kernels_of<T>(isa);
    const auto known = named<ActivationName>(name);
    if (known == ActivationName::softmax) throw std::invalid_argument("softmax takes all units of a row together");
    const std::size_t n = z.shape(0), whole = (n + std::size_t(kernels.lanes) - 1) / kernels.lanes * kernels.lanes;
    Buffer<T> f = zeros<T>(whole), slopes = zeros<T>(whole);
    std::copy_n(z.data(), n, f.get());
    kernels.activate(known, T(parameter), f.get(), slopes.get(), int64_t(whole));
    return {as_numpy<T>(std::move(f), {n}), as_numpy<T>(std::move(slopes), {n})};
}

template <class T> void bind_functions(nb::module_& m) {
    m.def("function", &function<T>, "name"_a, "x"_a.noconvert(), "isa"_a);
    m.def("activation", &activation<T>, "name"_a, "parameter"_a, "z"_a.noconvert(), "isa"_a);
}

void bind_settings(nb::module_& m) {
    const auto make = [](Settings* place, const std::string& loss, double loss_parameter, double divisor,
                         const std::string& optimizer, std::vector<double> constants, int remembers,
                         std::vector<double> dropout, double l1, double l2, bool penalty_by_weight,
                         bool penalty_in_loss, double clip_norm, int64_t batch_size, bool shuffle, uint64_t seed,
                         const std::string& stopping, int64_t patience, double tolerance,
                         const std::string& loss_weighting) {
        new (place)
            Settings{.loss = named<LossName>(loss),
                     .loss_parameter = loss_parameter,
                     .divisor = divisor,
                     .optimizer = optimizer.empty() ? std::nullopt : std::optional(named<OptimizerName>(optimizer)),
                     .constants = std::move(constants),
                     .remembers = remembers,
                     .dropout = std::move(dropout),
                     .l1 = l1,
                     .l2 = l2,
                     .penalty_by_weight = penalty_by_weight,
                     .penalty_in_loss = penalty_in_loss,
                     .clip_norm = clip_norm,
                     .batch_size = batch_size,
                     .shuffle = shuffle,
                     .seed = seed,
                     .stopping = named<StoppingRule>(stopping),
                     .patience = patience,
                     .tolerance = tolerance,
                     .loss_weighting = named<LossWeighting>(loss_weighting)};
    };
    nb::class_<Settings>(m, "Settings")
        .def("__init__", make, "loss"_a, "loss_parameter"_a, "divisor"_a, "optimizer"_a, "constants"_a, "remembers"_a,
             "dropout"_a, "l1"_a, "l2"_a, "penalty_by_weight"_a, "penalty_in_loss"_a, "clip_norm"_a, "batch_size"_a,
             "shuffle"_a, "seed"_a, "stopping"_a, "patience"_a, "tolerance"_a, "loss_weighting"_a);
}

void bind_plan(nb::module_& m) {
    nb::class_<Plan>(m, "Plan")
        .def_prop_ro("path", [](const Plan& plan) { return name_of(plan.path); })
        .def_ro("threads", &Plan::threads)
        .def_ro("panel_rows", &Plan::panel_rows)
        .def_ro("groups", &Plan::groups)
        .def_ro("chunk_rows", &Plan::chunk_rows)
        .def("__repr__", [](const Plan& plan) {
            return "Plan(path=" + std::string(name_of(plan.path)) + ", threads=" + std::to_string(plan.threads) +
                   ", panel_rows=" + std::to_string(plan.panel_rows) + ", groups=" + std::to_string(plan.groups) +
                   ", chunk_rows=" + std::to_string(plan.chunk_rows) + ")";
        });
}

template <class Enum> std::vector<std::string> names() {
    return {std::begin(NamesOf<Enum>::names), std::end(NamesOf<Enum>::names)};
}

// From the name of each optimiser to the names of its constants, separated by commas.
nb::dict optimizers() {
    nb::dict result;
#define CHAINRULE_CONSTANTS(name, formula, ...) result[#name] = #__VA_ARGS__;
    CHAINRULE_OPTIMIZERS(CHAINRULE_CONSTANTS)
#undef CHAINRULE_CONSTANTS
    return result;
}

void bind(nb::module_& m) {
    m.def("instruction_sets", &instruction_sets_of_this_machine);
    m.attr("activations") = names<ActivationName>();
    m.attr("losses") = names<LossName>();
    m.attr("optimizers") = optimizers();
    m.attr("compiler") = CHAINRULE_COMPILER;
    nb::class_<Description>(m, "Description")
        .def(nb::init<std::vector<int64_t>, std::vector<std::pair<std::string, double>>, std::vector<bool>>(),
             "widths"_a, "activations"_a, "biases"_a);
    bind_settings(m);
    bind_plan(m);
    nb::class_<Ahead>(m, "Ahead").def(nb::init<Vector<double>, int64_t>(), "rates"_a, "first_epoch"_a);
    bind_predictor<float>(m, "Predictor32");
    bind_trainer<float>(m, "Table32", "Trainer32");
    bind_functions<float>(m);
    bind_predictor<double>(m, "Predictor64");
    bind_trainer<double>(m, "Table64", "Trainer64");
    bind_functions<double>(m);
}

}  // namespace chainrule

NB_MODULE(_native, m) { chainrule::bind(m); }
