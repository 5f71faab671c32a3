// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A Chainlink aggregator that says what it is told to: AggregatorV3Interface, as far as it is read.
contract Feed {
    uint8 public decimals;
    uint80 private roundId;
    uint80 private answeredInRound;
    int256 private answer;
    uint256 private updatedAt;
    bool private isDown;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function say(int256 answer_, uint256 updatedAt_, uint80 roundId_, uint80 answeredInRound_) external {
        answer = answer_;
        updatedAt = updatedAt_;
        roundId = roundId_;
        answeredInRound = answeredInRound_;
        isDown = false;
    }

    function fail() external {
        isDown = true;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        require(!isDown, "no data present");
        return (roundId, answer, updatedAt, updatedAt, answeredInRound);
    }
}
