"""An optimiser of the user's own: a class of torch's Optimizer in a file, called with keywords."""

from __future__ import annotations

import inspect

from torch import nn
from torch.optim import Optimizer

from fashioncnn.errors import CodeError
from fashioncnn.training.optimizers.base import OptimizerSettings
from fashioncnn.usercode.faults import user_code
from fashioncnn.usercode.part import NamedOwnPart, parameters

# A class whose first argument is called so wants the network, not its weights.
NETWORK = ("network", "model", "module")


class OwnOptimizerSettings(NamedOwnPart, OptimizerSettings, extra="allow"):
    """An optimiser of your own: every further key is a keyword of its class or function.

    It is given the weights, or the network where its first argument is called so, then as `lr`
    and `weight_decay` what the recipe says.
    """

    @property
    def by_place(self) -> int:
        """See OwnPart: the weights."""
        return 1

    @property
    def offered(self) -> tuple[str, ...]:
        """See OwnPart."""
        return ("lr", "learning_rate", "weight_decay")

    def build(self, network: nn.Module) -> Optimizer:
        """See OptimizerSettings. Raises CodeError for what is no optimiser."""
        taken, _ = parameters(self.target)
        whole = next(iter(taken), "") in NETWORK
        rate, decay = self.learning_rate, self.weight_decay
        with user_code(self.name):
            optimizer = self.called(
                network if whole else network.parameters(),
                lr=rate,
                learning_rate=rate,
                weight_decay=decay,
            )
        if not isinstance(optimizer, Optimizer):
            raise CodeError(
                f"{self.name} makes a {type(optimizer).__name__}, not a torch.optim.Optimizer"
            )
        if self._asks_for_more(optimizer):
            raise CodeError(
                f"{self.name}: its step() asks for an argument, and is called without; optimisers "
                "that need a closure cannot be used"
            )
        if missing := [group for group in optimizer.param_groups if "lr" not in group]:
            raise CodeError(
                f"{self.name}: {len(missing)} of its groups have no 'lr', which the schedule "
                "scales; hand {'lr': lr} to Optimizer.__init__ as defaults"
            )
        return optimizer

    @staticmethod
    def _asks_for_more(optimizer: Optimizer) -> bool:
        needed = inspect.signature(inspect.unwrap(optimizer.step)).parameters.values()
        usual = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return any(
            one.default is inspect.Parameter.empty and one.kind not in usual and one.name != "self"
            for one in needed
        )
