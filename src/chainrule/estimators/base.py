"""What both estimators share: from parameters and data to a run, and from a run to what scikit-learn's users expect."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from functools import cache
from inspect import signature
from itertools import pairwise
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..activations import Activation
from ..backpropagation import forward
from ..data import Data, Floats, RowNumbers
from ..engines import reference
from ..engines.choice import ENGINES, predictor_of
from ..engines.engine import Predictor
from ..engines.lbfgs import NO_STEP, TOO_OFTEN
from ..engines.shuffling import LegacyShuffle
from ..engines.state import State
from ..engines.stopping import Plateau, PlateauCounter
from ..engines.task import Split
from ..errors import DivergenceError
from ..network import Network
from ..optimizers import LBFGS
from ..regularization import weight_positions
from ..training import History, Run
from ..training.loop import run_training
from ..training.many import RunOfMany
from ..training.run import ALL_DONE, INTERRUPTED
from .atomic import unchanged_on_error
from .inputs import (
    check_weights,
    checked,
    checked_rows,
    checked_weights,
    dense_if_small,
    is_plain,
)
from .parameters import LARGEST_BATCH, callbacks_of, first_parameters, is_stochastic, network_of_attributes, settings_of
from .scoring import scorer_of
from .stopping import Conductor

_TOO_LARGE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


@dataclass
class Fit:
    """A fit between its preparation and its end.

    Attributes
    ----------
    run : Run
    parts : Split
        The rows to train on, and those to judge by.
    conductor : Conductor or None
        Who looks on after every epoch; None where the engine needs nobody.
    begin : int
        How many epochs the run had before.
    random : RandomState or None
        The user's own, which the fit moves on.
    """

    run: Run
    parts: Split
    conductor: Conductor | None
    begin: int
    random: np.random.RandomState | None = None

    @property
    def can_run_in_batch(self) -> bool:
        """Whether the engine can execute it at the same time as others, without a hook after every epoch."""
        return self.conductor is None and ENGINES[self.run.settings.engine].runs_in_batch(self.run.settings)

    @property
    def member(self) -> RunOfMany:
        """What :func:`chainrule.training.many.execute_runs` needs for it."""
        return RunOfMany(self.run, self.parts)


class BaseMLP(BaseEstimator):  # type: ignore[misc]
    """A multi-layer perceptron with scikit-learn's contract; see :class:`MLPClassifier` and :class:`MLPRegressor`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]]

    coefs_: list[Floats]
    intercepts_: list[Floats]
    out_activation_: str
    validation_scores_: Any  # a list of float, or None without early stopping
    best_validation_score_: Any

    def _targets(self, y: Any, dtype: Any, anew: bool, judged: bool) -> Floats:
        """Return checked targets, (n, outputs); `anew` where what was learnt of them before is forgotten."""
        raise NotImplementedError

    def _trained_on(self, targets: Floats) -> Floats:
        """Return the targets of rows to train on, from those to judge by."""
        return targets

    def _network_of(self, inputs: int, outputs: int) -> Network:
        """Return the network for so many inputs and outputs."""
        raise NotImplementedError

    def _weights_of_classes(self, y: Any) -> Floats | None:
        """Return by what each row's weight is multiplied; None for 1."""
        return None

    def _score_of(self, targets: Floats, outputs: Floats, weights: Floats) -> float:
        """Return the score of held-out rows, without early_stopping_scoring."""
        raise NotImplementedError

    def _scores_for(self, targets: Floats, weights: Floats) -> Callable[[Floats], float]:
        """Return :meth:`_score_of` as a function of the outputs, for one fit."""
        return lambda outputs: self._score_of(targets, outputs, weights)

    def _decoded(self, outputs: Floats) -> Any:
        """Return predictions from outputs, or y from targets, both (n, outputs)."""
        raise NotImplementedError

    def _warn_of_misleading_scores(self, data: Data) -> None:
        """Warn where the score of early stopping says little about a fit to these rows."""

    def _check_scorable(self, held_out: Data) -> None:
        """Check that held-out rows have a score.

        Raises
        ------
        ValueError
            When they have none, whatever the predictions.
        """

    def _default_out_activation(self) -> str:
        """Return the activation of the output where `out_activation_` is missing, as in attributes from elsewhere."""
        raise NotImplementedError

    _fitted_attributes: ClassVar[tuple[str, ...]] = ("coefs_", "intercepts_")  # which predictions need

    def _strata(self, targets: Floats) -> Any:
        """Return by what held-out rows are drawn evenly, or None."""
        return None

    # Fitting

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Fit to data.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
            Any frame that narwhals knows, with numbers in its columns.
        y : array-like, shape (n,) or (n, outputs)
            Classes or labels, or numbers.
        sample_weight : array-like, shape (n,), optional
            How much each row counts in the mean: a whole number k does what k copies of the row do. None is negative,
            and their sum is above 0 and finite.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Rows to judge by after every epoch: ``history_["validation_loss"]``. With early stopping they take the place
            of the part that would be held out.

        Raises
        ------
        ValueError
            When data or parameters do not fit, or the fit diverges. The estimator is then as it was before.
        """
        claim_fit = self.__dict__.pop("_claim_fit", None)  # set by GridSearch on its own clones, for one fit
        with unchanged_on_error(self):
            if claim_fit is not None and (fit := claim_fit(self)) is not None:
                return self._take_over(fit)
            self._validate_params()
            return self._execute(self._prepare(X, y, sample_weight, validation_data))

    _claim_fit: Callable[[BaseMLP], Fit | None]

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, validation_data: Any) -> Self:
        """Go through data once more."""
        self._validate_params()
        if self.early_stopping and validation_data is None:
            raise ValueError(
                "partial_fit does not support early_stopping=True without validation_data: "
                "pass the rows by which the best parameters are chosen."
            )
        if self.early_stopping and getattr(self, "early_stopped_", False):
            return self
        return self._execute(self._prepare(X, y, sample_weight, validation_data, incremental=True), incremental=True)

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None, incremental: bool = False
    ) -> Fit:
        """Return all that a fit needs, from data and parameters."""
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        if first:
            for name in ("coefs_", "intercepts_", "_label_binarizer"):  # the last, of a scikit-learn network
                self.__dict__.pop(name, None)
        X, y, targets = self._checked_pair(X, y, first, anew=not (self.warm_start or incremental))
        weights: Floats = np.ones(X.shape[0], X.dtype)
        if sample_weight is not None:
            weights = checked_weights(sample_weight, X.shape[0], X.dtype)
        random = check_random_state(self.random_state)
        net = self._network_of(X.shape[1], targets.shape[1])
        if first:
            self.n_iter_ = self.t_ = 0
            self.n_layers_, self.n_outputs_ = len(net.layers) + 1, targets.shape[1]
            theta = first_parameters(self, net, random, X.dtype).vector
            before = None
        else:
            theta, before = self._theta_of_attributes(net, X.dtype), self.__dict__.get("_run")
            if incremental and before is not None and before.best is not None and (theta == before.best.theta).all():
                theta = before.state.theta.astype(X.dtype)  # coefs_ are the best, but training continues from the last
        data = Data(X, targets, weights)
        parts = self._parts(data, self._weights_of_classes(y), random, validation_data)
        begin = before.epoch if before else 0
        conductor = self._conductor(net, parts, incremental, before)
        if self.early_stopping and self.early_stopping_scoring is None and is_stochastic(self):
            if not incremental:
                self._warn_of_misleading_scores(data)
            elif first and parts.validation is not None:  # the rows of one call need not have all classes
                self._warn_of_misleading_scores(parts.validation)
        seed = before.settings.seed if before else self._seed_of_dropout(random)
        settings = settings_of(self, net, parts, begin, seed, conductor, incremental)
        same_shapes = before is not None and before.network.widths == net.widths
        if before is not None and same_shapes and before.can_continue_with(settings.optimizer):
            state = before.state.copy()
            state.theta = theta
            state.memory = {name: vector.astype(theta.dtype) for name, vector in state.memory.items()}
            state.best = state.best if conductor is not None and conductor.scores else None
        else:
            losses = list(before.state.losses) if before else []
            state = State(theta, settings.optimizer.start(theta), epoch=begin, losses=losses)
        state.shuffling = self._shuffling(parts, state.shuffling, random, incremental)
        run = Run(net, settings, state, History(before.history if before else None))
        return Fit(run, parts, conductor, begin, None if isinstance(self.random_state, Integral) else random)

    def _checked_pair(self, X: Any, y: Any, first: bool, anew: bool, judged: bool = False) -> tuple[Any, Any, Floats]:
        """Return X as scikit-learn checks it and as an engine can have it, y as it was checked, and the targets.

        Of rows that are only judged by, not every class has to be there.
        """
        X, y = checked(self, X, y, self._needs_numbers, reset=first)
        return dense_if_small(X), y, self._targets(y, X.dtype, anew, judged)

    _needs_numbers: ClassVar[bool] = False  # as targets

    @classmethod
    @cache  # finding out takes a tenth of a millisecond, and every check of the parameters asks
    def _get_param_names(cls) -> list[str]:
        names: list[str] = super()._get_param_names()
        return names

    def _theta_of_attributes(self, net: Network, dtype: Any) -> Floats:
        """Return coefs_ and intercepts_ as one vector, whoever made them."""
        theta, widths = _flattened(self.coefs_, self.intercepts_)
        if widths != net.widths:
            raise ValueError(
                f"coefs_ and intercepts_ have the shapes {_shapes_of(widths)}, but parameters and data need "
                f"{_shapes_of(net.widths)}: change hidden_layer_sizes to continue with these, or set warm_start=False "
                "to start from scratch."
            )
        return theta.astype(dtype)

    def _parts(
        self, data: Data, of_classes: Floats | None, random: np.random.RandomState, validation_data: Any
    ) -> Split:
        """Return the rows to train on, and those to judge by, for which classes count alike."""
        weights = data.weights if of_classes is None else (data.weights * of_classes).astype(data.weights.dtype)
        learnt = Data(data.x, self._trained_on(data.y), weights)
        if of_classes is not None:
            check_weights(weights, "rows to train on", "change class_weight or sample_weight")
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
                raise ValueError("validation_data must be (X, y) or (X, y, sample_weight).")
            X, y, *given = validation_data
            try:
                X, y, targets = self._checked_pair(X, y, first=False, anew=False, judged=True)
                if targets.shape[1] != data.y.shape[1]:
                    raise ValueError(f"y has {targets.shape[1]} outputs, but there are {data.y.shape[1]} to train on.")
                counts = checked_weights(given[0] if given else None, X.shape[0], X.dtype)
            except ValueError as error:
                raise ValueError(f"validation_data: {error}") from error
            return Split(learnt, Data(*(array.astype(data.x.dtype, copy=False) for array in (X, targets, counts))))
        if not (self.early_stopping and is_stochastic(self)):
            return Split(learnt, None)
        training, aside = self._held_out(data, random)
        advice = "change random_state or validation_fraction, or pass validation_data"
        check_weights(weights[training], "rows to train on", advice)
        check_weights(data.weights[aside], "held-out rows", advice)
        return Split(learnt.take(training), data.take(aside))

    def _held_out(self, data: Data, random: np.random.RandomState) -> tuple[RowNumbers, RowNumbers]:
        """Return the numbers of the rows to train on, and of those that early stopping holds out."""
        try:
            training, aside = train_test_split(
                np.arange(len(data)),
                random_state=random,
                test_size=self.validation_fraction,
                stratify=self._strata(data.y),
            )
        except ValueError as error:
            count = int(np.ceil(self.validation_fraction * len(data)))
            raise ValueError(
                f"Early stopping cannot hold out validation_fraction={self.validation_fraction:g} of {len(data)} rows: "
                f"{self._why_not_split(data, count, error)}. Change validation_fraction, or pass validation_data."
            ) from error
        if len(aside) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return training, aside

    def _why_not_split(self, data: Data, count: int, error: ValueError) -> str:
        """Return why ``train_test_split`` cannot hold out this many rows."""
        return f"no rows would be {'held out' if count == 0 else 'left to train on'}"

    def _seed_of_dropout(self, random: np.random.RandomState) -> int:
        """Return a seed, without a draw that scikit-learn does not make."""
        return int(deepcopy(random).randint(2**31)) if np.any(self.dropout) else 0

    def _shuffling(
        self, parts: Split, before: LegacyShuffle | None, random: np.random.RandomState, incremental: bool
    ) -> LegacyShuffle | None:
        """Return who shuffles the rows; nobody where all are one batch, and nobody sees the random state move on."""
        rows = len(parts.training)
        in_one_batch = rows <= (LARGEST_BATCH if self.batch_size == "auto" else self.batch_size)
        if not (self.shuffle and is_stochastic(self)):
            return None
        if in_one_batch and not np.any(self.dropout) and isinstance(self.random_state, Integral):
            return None
        if before is not None and len(before.order) == rows and not incremental:
            return before
        return LegacyShuffle.of(random, rows)

    def _conductor(self, net: Network, parts: Split, incremental: bool, before: Run | None) -> Conductor | None:
        """Return who looks on after every epoch, where somebody has to."""
        stochastic = is_stochastic(self)
        adaptive = self.solver == "sgd" and self.learning_rate == "adaptive"
        scored = bool(self.early_stopping and stochastic)
        callbacks = callbacks_of(self)
        if not (scored or adaptive or self.verbose or callbacks):
            return None
        ends = stochastic and (scored or adaptive or not incremental)
        if scored and parts.validation is not None:
            self._check_scorable(parts.validation)
        conductor = Conductor(
            PlateauCounter(self.n_iter_no_change, self.tol) if ends else None,
            self._scorer(net, parts.validation) if scored and parts.validation is not None else None,
            self.learning_rate_init if adaptive else None,
            bool(self.verbose),
            callbacks,
            before.epoch if before else 0,
            repr((self.early_stopping_scoring, self.loss)) if scored else None,
        )
        if before is not None:
            conductor.follow(self.__dict__.get("_conducted"), before.state.losses)
        return conductor

    def _scorer(self, net: Network, aside: Data) -> Callable[[Run], float]:
        """Return a function from a run to the score of held-out rows."""
        if self.early_stopping_scoring == "loss":
            return lambda run: -run.history["validation_loss"][-1]
        outputs = _Outputs(net, self.engine)
        scoring = None if self.early_stopping_scoring is None else scorer_of(self.early_stopping_scoring)
        y, default = self._decoded(aside.y), self._scores_for(aside.y, aside.weights)

        def score(run: Run) -> float:
            found = outputs(run.state.theta, aside.x, self.threads)
            if not np.isfinite(found).all():
                return np.nan
            if scoring is None:
                return default(found)
            result = scoring(self._view(net, run.state.theta, outputs), aside, y)
            if run.best is None and not np.isfinite(result):
                raise ValueError(
                    f"early_stopping_scoring={self.early_stopping_scoring!r:.60} is {result:g} for the {len(aside)} "
                    "held-out rows after the first epoch, although the predictions are finite: choose a score that is "
                    "defined for these rows, or hold out other rows with validation_data, "
                    "validation_fraction or random_state."
                )
            return result

        return score

    def _view(self, net: Network, theta: Floats, outputs: _Outputs) -> Self:
        """Return a fitted estimator with these parameters, which takes rows without names."""
        view = copy(self)
        view.__dict__.pop("feature_names_in_", None)
        view._set_parameters(net, theta.copy(), outputs)
        return view

    def _set_parameters(self, net: Network, theta: Floats, outputs: _Outputs) -> None:
        """Set coefs_ and intercepts_ to views into a parameter vector, and what predicts by them."""
        params = net.parameters(theta)
        self._theta, self._outputs, self._predictor_key = theta, outputs, (net.widths, self._functions)
        self.coefs_, self.intercepts_ = list(params.weights), [bias for bias in params.biases if bias is not None]
        self._views = (*self.coefs_, *self.intercepts_)

    def _execute(self, fit: Fit, incremental: bool = False) -> Self:
        """Make the run of a fit by itself."""
        callbacks = [] if fit.conductor is None else [fit.conductor]
        try:
            run_training(fit.run, fit.parts, callbacks=callbacks, threads=self.threads)
        except DivergenceError as error:
            self._give_up(fit, error)
        return self._take_over(fit, incremental)

    @staticmethod
    def _give_up(fit: Fit, error: DivergenceError) -> None:
        """End a fit that diverged: with the best parameters where these are kept, or else with an error."""
        conductor = fit.conductor
        if conductor is None or not conductor.scored or fit.run.best is None:
            raise ValueError(f"{_TOO_LARGE} In detail: {error}.") from error
        conductor.ended = True
        warnings.warn(f"The best parameters before are kept: {error}.", ConvergenceWarning, stacklevel=4)

    def _take_over(self, fit: Fit, incremental: bool = False) -> Self:
        """Set the attributes that scikit-learn's users expect from a run that has ended."""
        run, conductor = fit.run, fit.conductor
        state, settings = run.state, run.settings
        outputs = _Outputs(run.network, settings.engine)
        self._check_finite(fit, outputs)
        made = run.epoch - fit.begin
        self.n_iter_ = made
        self.history_ = run.history
        self.loss_ = state.losses[-1] if state.losses else _objective(run, fit.parts.training)
        if is_stochastic(self):
            self.t_ = self.__dict__.get("t_", 0) + made * len(fit.parts.training)
            self.loss_curve_ = state.losses
            scored = conductor is not None and conductor.scored
            self.best_loss_ = None if scored else min(state.losses, default=np.inf)
            self.validation_scores_ = conductor.scores if conductor is not None and scored else None
            self.best_validation_score_ = (-state.best.loss if state.best else -np.inf) if scored else None
        self.early_stopped_ = incremental and conductor is not None and conductor.scored and conductor.ended
        self._set_parameters(run.network, np.array(run.parameters.vector), outputs)
        if conductor is not None:
            conductor.score, conductor.callbacks = None, ()  # which cannot go to another process
        self._conducted = conductor
        if fit.random is not None and state.shuffling is not None:
            state.shuffling.give_back(fit.random)
        last = self._theta if state.best is None else state.theta
        kept = replace(state, theta=last, shuffling=state.shuffling if self.warm_start else None)
        self._run = Run(run.network, settings, kept, run.history, run.stopped, run.plan)
        self._warn(fit, incremental)
        return self

    def _check_finite(self, fit: Fit, outputs: _Outputs) -> None:
        """Check that the final parameters are finite, and their outputs for a batch: no later step would notice.

        L-BFGS has already evaluated the objective, and so the outputs, at its final parameters.
        """
        run, scores = fit.run, [] if fit.conductor is None else fit.conductor.scores
        theta = run.parameters.vector
        rows = fit.parts.training.x[:LARGEST_BATCH]
        if scores and run.best is None:
            problem = "no epoch has a finite validation score"
        elif not np.isfinite(theta).all() or (
            is_stochastic(self) and not np.isfinite(outputs(theta, rows, self.threads)).all()
        ):
            problem = "the outputs after the last step are not finite"
        else:
            return
        raise ValueError(f"{_TOO_LARGE} In detail: {problem}. Try a smaller learning rate.")

    def _warn(self, fit: Fit, incremental: bool) -> None:
        run = fit.run
        if run.stopped == INTERRUPTED:
            warnings.warn("Training interrupted by user.", stacklevel=5)
        if incremental:
            return
        if not is_stochastic(self):
            if run.stopped in (ALL_DONE, TOO_OFTEN) or str(run.stopped).startswith(NO_STEP):
                warnings.warn(self._not_converged(str(run.stopped)), ConvergenceWarning, stacklevel=5)
            return
        stopping = run.settings.stopping
        if isinstance(stopping, Plateau):
            ended = stopping.counter(run.state.losses).is_over
        else:
            ended = fit.conductor is not None and fit.conductor.ended
        if run.stopped == ALL_DONE and not ended:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _not_converged(self, stopped: str) -> str:
        """Return in SciPy's and scikit-learn's words why L-BFGS ended."""
        told = {
            ALL_DONE: "(status=1):\nSTOP: TOTAL NO. OF ITERATIONS REACHED LIMIT",
            TOO_OFTEN: "(status=1):\nSTOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT",
        }.get(stopped, "(status=2):\nABNORMAL: ")
        more = ""
        if stopped == TOO_OFTEN:
            own = isinstance(self.solver, LBFGS)
            limit = f"solver.evaluations={self.solver.evaluations}" if own else f"max_fun={self.max_fun}"
            more = f"\nIncrease the number of evaluations to improve the convergence ({limit})."
        elif self.n_iter_ == self.max_iter:
            more = f"\nIncrease the number of iterations to improve the convergence (max_iter={self.max_iter})."
        return (
            f"lbfgs failed to converge after {self.n_iter_} iteration(s) {told}\n"
            f"{more}\nYou might also want to scale the data as shown in:\n"
            "    https://scikit-learn.org/stable/modules/preprocessing.html"
        )

    # Predicting

    def _outputs_of(self, X: Any) -> Floats:
        """Return the outputs f_L of every row, (n, outputs), by the attributes as they are now."""
        theta, outputs = self._parameters_and_outputs()
        inputs = outputs.net.inputs
        named = "feature_names_in_" in self.__dict__ or self.__dict__.get("n_features_in_", inputs) != inputs
        if named or not is_plain(X, inputs, theta.dtype):
            X = self._checked_rows(X, inputs)
        return outputs(theta, dense_if_small(X).astype(theta.dtype, copy=False), self.threads)

    def _checked_rows(self, X: Any, inputs: int) -> Any:
        X = checked_rows(self, X)
        if X.shape[1] != inputs:  # after n_features_in_, which may be missing or differ
            raise ValueError(f"X has {X.shape[1]} features, but coefs_[0] has {inputs} rows.")
        return X

    def _parameters_and_outputs(self) -> tuple[Floats, _Outputs]:
        """Return coefs_ and intercepts_ as one vector, and the function from it and inputs to the outputs.

        Attributes may have been changed, or copied from another network; what is known of the last fit is used only
        as long as it is what they say.
        """
        known = self.__dict__
        if "_outputs" not in known:
            check_is_fitted(self, self._fitted_attributes)
        arrays, views = (*self.coefs_, *self.intercepts_), known.get("_views", ())
        unchanged = len(arrays) == len(views) and all(a is b for a, b in zip(arrays, views, strict=True))
        before, functions = known.get("_predictor_key", ((), ())), self._functions
        same = _are_same(before[1], functions)
        if unchanged and same:
            return self._theta, self._outputs
        theta, widths = _flattened(self.coefs_, self.intercepts_)
        key = (widths, functions)
        if before[0] != widths or not same:
            out_activation = known.get("out_activation_") or self._default_out_activation()
            self._outputs = _Outputs(network_of_attributes(self, widths, out_activation), self.engine)
            self._predictor_key = key
        return theta, self._outputs

    @property
    def _functions(self) -> tuple[Any, ...]:
        """All that decides predictions, beside the parameters."""
        activation = self.activation
        single = isinstance(activation, (str, Activation))
        return self.engine, self.__dict__.get("out_activation_"), single, *([activation] if single else activation)

    def activations(self, X: Any, layer: int) -> Floats:
        """Return the activations fᵢ of a layer, (n, dᵢ).

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
        layer : int
            0 for the inputs, 1 for the first hidden layer, …; -1 for the output, -2 for the last hidden layer.

        Raises
        ------
        ValueError
            When there is no such layer, or X does not fit.
        """
        theta, outputs = self._parameters_and_outputs()
        net = outputs.net
        if not isinstance(layer, (int, np.integer)) or not -len(net.layers) - 1 <= layer <= len(net.layers):
            raise ValueError(
                f"layer must be a whole number from 0 to {len(net.layers)}, or from the end: got {layer!r}."
            )
        X = dense_if_small(self._checked_rows(X, net.inputs)).astype(theta.dtype, copy=False)
        params = net.parameters(theta)
        pieces = (
            forward(net, params, X[i : i + reference.CHUNK])[1][layer] for i in range(0, X.shape[0], reference.CHUNK)
        )
        return np.concatenate([piece if isinstance(piece, np.ndarray) else piece.toarray() for piece in pieces])

    def __getstate__(self) -> dict[str, Any]:
        # coefs_ and intercepts_ come back as arrays of their own, no longer as parts of one vector, and a copy makes a
        # predictor of its own, as one holds the parameters of the last call.
        cached = ("_theta", "_views", "_outputs", "_predictor_key")
        return {name: value for name, value in super().__getstate__().items() if name not in cached}

    def __getattr__(self, name: str) -> Any:
        # Attributes from scikit-learn's network, or from an earlier version, lack some parameters.
        defaults = self._defaults()
        return defaults[name] if name in defaults else object.__getattribute__(self, name)  # raises the usual error

    @classmethod
    @cache  # pre-fit checks ask for attributes that are missing, and a signature takes a third of a millisecond
    def _defaults(cls) -> dict[str, Any]:
        parameters = signature(cls).parameters.items()
        return {name: parameter.default for name, parameter in parameters if parameter.default is not parameter.empty}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _objective(run: Run, data: Data) -> float:
    """Return the loss with penalty, of a run that L-BFGS found to be at its end when it began."""
    penalty = run.settings.penalty.of_batch(float(data.weights.sum()))
    loss = reference.evaluate(run.network, run.parameters, data)
    return loss + penalty.value(run.parameters.vector, weight_positions(run.network))


def _are_same(before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    """Tell whether all functions are the same; activations are equal when their names are, whatever they compute."""
    return len(before) == len(now) and all(
        a is b or (not isinstance(a, Activation) and a == b) for a, b in zip(before, now, strict=True)
    )


def _shapes_of(widths: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the shapes of the weights and biases between layers of these widths."""
    return [shape for before, units in pairwise(widths) for shape in ((before, units), (units,))]


def _flattened(coefs: Any, intercepts: Any) -> tuple[Floats, tuple[int, ...]]:
    """Return the parameters of all layers as one vector, and the width of each layer, the inputs first.

    Raises
    ------
    ValueError
        When their shapes are not those of successive layers.
    """
    layers = [(np.asarray(W), np.asarray(b)) for W, b in zip(coefs, intercepts, strict=False)]
    arrays = [array for layer in layers for array in layer]
    shapes = [array.shape for array in arrays]
    widths = (*shapes[0][:1], *(b.size for _, b in layers)) if layers else ()
    if len(coefs) != len(intercepts) or not layers or shapes != _shapes_of(widths):
        raise ValueError(
            f"coefs_ and intercepts_ have the shapes {shapes}, but each layer needs (units before, units) and (units,)."
        )
    if 0 in widths:
        raise ValueError(f"coefs_ and intercepts_ have the shapes {shapes}, but each layer needs at least one unit.")
    dtype = np.float32 if {array.dtype for array in arrays} == {np.dtype(np.float32)} else np.float64
    return np.concatenate([np.ravel(array) for array in arrays]).astype(dtype), widths


class _Outputs:
    """Outputs of rows by parameters that may have changed since the last call."""

    def __init__(self, net: Network, engine: str) -> None:
        self.net, self.engine = net, engine
        self._predictor: Predictor | None = None  # created when it is needed

    def __call__(self, theta: Floats, x: Any, threads: int | None) -> Floats:
        if sparse.issparse(x):
            return reference.predict(self.net, self.net.parameters(theta), x)
        if self._predictor is None or self._predictor.dtype != theta.dtype:
            self._predictor = predictor_of(self.net, self.net.parameters(theta), self.engine)
        else:
            self._predictor.follow(theta)
        return self._predictor(x, threads)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Outputs, (self.net, self.engine)
