"""The shop simulator: writes events in the shape of GA4's export, and the truth about them."""

from pipelines.emulator.simulator.experiment_text import read_experiment
from pipelines.emulator.simulator.experiments import Arm, Experiment
from pipelines.emulator.simulator.leak_text import read_leak
from pipelines.emulator.simulator.run import PROPERTY_ID, Simulation, simulate
from pipelines.emulator.simulator.scenarios import SCENARIOS, Leak, Scenario, SimulationError

__all__ = [
    "PROPERTY_ID",
    "SCENARIOS",
    "Arm",
    "Experiment",
    "Leak",
    "Scenario",
    "Simulation",
    "SimulationError",
    "read_experiment",
    "read_leak",
    "simulate",
]
